#include "value.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <cmath>

namespace tcrops::db {
namespace {

std::string described(const Value& value) {
  struct {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
    std::string operator()(double number) const { return fmt::format("{}", number); }
    std::string operator()(const std::string&) const { return "a text"; }
  } words;
  return std::visit(words, value);
}

Error not_a(const char* wanted, const Value& value) {
  return {ExitCode::kFailure,
          fmt::format("the database gave {} where {} belongs", described(value), wanted)};
}

unsigned byte_at(const std::string& text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

// How many bytes the character takes that begins at `at`; 0: none does. By table 3-7 of the Unicode
// standard (well-formed UTF-8 byte sequences).
std::size_t character_size(const std::string& text, std::size_t at) {
  const unsigned first = byte_at(text, at);
  const unsigned second = byte_at(text, at + 1);
  const auto follows = [&](std::size_t after) {
    return (byte_at(text, at + after) & 0xC0U) == 0x80;
  };
  if (first >= 0x01 && first <= 0x7F) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second > 0x9F;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && second < 0x90;
    const bool beyond = first == 0xF4 && second > 0x8F;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

void check_text(const std::string& text, std::size_t number) {
  // Mostly letters of ASCII; looked through without stopping, which is fast.
  bool is_plain = true;
  for (const char c : text) is_plain &= c > 0;
  if (is_plain) return;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_size(text, at);
    if (size == 0) {
      throw Error(
          ExitCode::kFailure,
          fmt::format("parameter :p{} of a statement is no text for a database: its byte {} "
                      "is zero or not UTF-8",
                      number, at + 1));
    }
    at += size;
  }
}

}  // namespace

std::int64_t integer(const Value& value) {
  if (const auto* const number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* const number = std::get_if<double>(&value)) {
    constexpr double kBeyond = 0x1p63;
    if (*number >= -kBeyond && *number < kBeyond && std::trunc(*number) == *number) {
      return static_cast<std::int64_t>(*number);
    }
  }
  throw not_a("a whole number", value);
}

double real(const Value& value) {
  if (const auto* const number = std::get_if<double>(&value)) return *number;
  if (const auto* const number = std::get_if<std::int64_t>(&value)) {
    return static_cast<double>(*number);
  }
  throw not_a("a number", value);
}

const std::string& text(const Value& value) {
  if (const auto* const found = std::get_if<std::string>(&value)) return *found;
  throw not_a("a text", value);
}

void check_parameters(std::span<const Value> parameters) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (const auto* const number = std::get_if<double>(&parameters[i])) {
      if (!std::isfinite(*number)) {
        throw Error(ExitCode::kFailure,
                    fmt::format("parameter :p{} of a statement is {}, and a database keeps only "
                                "finite numbers",
                                i + 1, *number));
      }
    } else if (const auto* const words = std::get_if<std::string>(&parameters[i])) {
      check_text(*words, i + 1);
    }
  }
}

}  // namespace tcrops::db
