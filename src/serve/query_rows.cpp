#include "query_rows.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/number_text.hpp>
#include <tcrops/stages/answer.hpp>

#include <fmt/format.h>

#include <cmath>

namespace tcrops::serve {

std::string with_row(std::string rows, const LoggedRow& row) {
  if (rows.empty()) {
    rows = '[';
  } else {
    rows.back() = ',';
  }
  const fmt::format_int line(row.line);
  (rows += '[').append(line.data(), line.size());
  if (row.score && std::isfinite(*row.score)) {
    append_general(rows += ',', *row.score, stages::kScoreDigits);
    rows += row.call ? ",true]]" : ",false]]";
  } else {
    rows += ",null,null,";
    rows += Json(row.problem_kind).dump(-1, ' ', false, Json::error_handler_t::replace);
    rows += "]]";
  }
  return rows;
}

std::vector<LoggedRow> rows_of_stored(const std::string& text, const std::string& file) {
  std::vector<LoggedRow> rows;
  try {
    for (const Json& each : Json::parse(text)) {
      LoggedRow row;
      row.line = each.at(0).get<std::size_t>();
      if (each.at(1).is_number()) row.score = each.at(1).get<double>();
      if (each.at(2).is_boolean()) row.call = each.at(2).get<bool>();
      if (each.size() > 3) row.problem_kind = each.at(3).get<std::string>();
      rows.push_back(std::move(row));
    }
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact, fmt::format("{}: answers of an entry: {}", file, e.what()));
  }
  return rows;
}

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  digits.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    digits += kDigits[byte >> 4U];
    digits += kDigits[byte & 15U];
  }
  return digits;
}

std::string bytes_of_hex(std::string_view digits) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  bytes.reserve(digits.size() / 2);
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(16 * value(digits[i]) + value(digits[i + 1]));
  return bytes;
}

}  // namespace tcrops::serve
