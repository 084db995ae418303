#include "field_value.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace tcrops {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
constexpr double kBeyond = 9223372036854775808.0;  // 2^63, the first double past kLargest

// As JSON Schema has it, 5.0 and 1e3 are whole numbers.
bool is_whole(const Json& value) {
  if (!value.is_number_float()) return value.is_number_integer();
  const double number = value.get<double>();
  return std::isfinite(number) && std::trunc(number) == number;
}

bool has_type(const Json& value, const std::string& type, const std::string& item_type) {
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return is_whole(value);
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "object") return value.is_object();
  return value.is_array() && std::all_of(value.begin(), value.end(), [&](const Json& item) {
           return has_type(item, item_type, "");
         });
}

std::string article(const std::string& type, const std::string& item_type) {
  if (type == "array" && item_type == "integer") return "a list of whole numbers";
  if (type == "array" && item_type == "number") return "a list of numbers";
  if (type == "array" && item_type == "object") return "a list of objects";
  if (type == "array") return "a list of texts";
  if (type == "integer") return "a whole number";
  if (type == "string") return "a text";
  if (type == "boolean") return "true or false";
  return "a number";
}

bool fits_integer(const Json& value) {
  if (value.is_number_unsigned()) {
    return value.get<std::uint64_t>() <= static_cast<std::uint64_t>(kLargest);
  }
  if (!value.is_number_float()) return true;
  const double number = value.get<double>();
  return number >= -kBeyond && number < kBeyond;
}

bool in_range(const Field& field, double number) {
  const bool low = field.minimum_excluded ? number <= field.minimum : number < field.minimum;
  return !low && number <= field.maximum && std::isfinite(number);
}

std::vector<std::string> number_problems(const Field& field, const std::string& type,
                                         const Json& value) {
  const auto out = [&](const std::string& valid) {
    return std::vector{fmt::format("{} is out of range; must be {}", shown(value), valid)};
  };
  if (!in_range(field, value.get<double>())) return out(range_text(field));
  if (type != "integer" || fits_integer(value)) return {};
  constexpr std::int64_t kSmallest = std::numeric_limits<std::int64_t>::min();
  return out(value.get<double>() > 0 ? fmt::format("at most {}", kLargest)
                                     : fmt::format("at least {}", kSmallest));
}

std::vector<std::string> text_problems(const Field& field, const std::string& text) {
  if (field.type == "string" && field.not_empty && text.empty()) return {"must not be empty"};
  const auto& choices = field.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) {
    return {fmt::format("{} is not one of {}{}", shown(text), fmt::join(choices, ", "),
                        suggestion(text, choices))};
  }
  if (!field.plain || is_plain_name(text)) return {};
  return {text.empty() ? std::string("must not be empty; it may hold letters, digits, - and _")
                       : fmt::format("{} is not allowed; it may hold letters, digits, - and _",
                                     shown(text))};
}

// Json::dump calls itself for every level of a value.
bool is_deeper(const Json& value, int levels) {
  if (!value.is_structured()) return false;
  return levels == 0 || std::any_of(value.begin(), value.end(),
                                    [&](const Json& item) { return is_deeper(item, levels - 1); });
}

// Text that is no JSON stays text, for which the type is then wrong.
Json item_from_text(const std::string& type, const std::string& text) {
  if (type == "string") return text;
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(text) : value;
}

}  // namespace

bool is_plain_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

std::string shortened(std::string text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
  text.resize(bytes);
  return text + "…";
}

std::string shown(const Json& value) {
  constexpr int kDeepest = 16;
  constexpr std::size_t kLongest = 80;
  if (is_deeper(value, kDeepest)) return "values inside values";
  return shortened(value.dump(-1, ' ', false, Json::error_handler_t::replace), kLongest);
}

std::string range_text(const Field& field) {
  const std::string unit = field.unit.empty() ? "" : " " + field.unit;
  const bool low = std::isfinite(field.minimum);
  const bool high = std::isfinite(field.maximum);
  const char* const from = field.minimum_excluded ? "above" : "at least";
  if (low && high)
    return fmt::format("{} {} and at most {}{}", from, field.minimum, field.maximum, unit);
  if (low) return fmt::format("{} {}{}", from, field.minimum, unit);
  return high ? fmt::format("at most {}{}", field.maximum, unit) : std::string();
}

std::vector<std::string> value_problems(const Field& field, const Json& value) {
  if (!has_type(value, field.type, field.item_type)) {
    return {fmt::format("must be {}, not {}", article(field.type, field.item_type), shown(value))};
  }
  const auto problems_of = [&field](const Json& one, const std::string& type) {
    if (one.is_number()) return number_problems(field, type, one);
    if (one.is_string()) return text_problems(field, one.get<std::string>());
    return std::vector<std::string>{};
  };
  if (!value.is_array()) return problems_of(value, field.type);
  if (value.empty() && field.not_empty) return {"must name at least one"};
  std::vector<std::string> problems;
  for (const Json& item : value) {
    for (std::string& text : problems_of(item, field.item_type)) {
      problems.push_back(std::move(text));
    }
  }
  return problems;
}

Json value_from_text(const Field& field, const std::string& text) {
  if (field.type == "string") return text;
  const bool is_short_form = text.empty() || (text.front() != '[' && field.item_type != "object");
  if (field.type == "array" && is_short_form) {
    Json list = Json::array();
    if (trim(text).empty()) return list;
    for (const std::string& part : split(text, ',')) {
      list.push_back(item_from_text(field.item_type, std::string(trim(part))));
    }
    return list;
  }
  return item_from_text(field.type, text);
}

}  // namespace tcrops
