#include "url.hpp"

#include <algorithm>
#include <utility>

namespace tcrops::serve {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string decoded(std::string_view text) {
  auto plain = percent_decoded(text);
  if (!plain) throw HttpError(400, "a % in the path must be followed by two hexadecimal digits");
  return std::move(*plain);
}

std::string decoded_value(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return decoded(spaced);
}

Headers parse_query(std::string_view text) {
  Headers query;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    std::string name = decoded_value(part.substr(0, equals));
    const bool is_new = std::none_of(query.begin(), query.end(),
                                     [&](const auto& known) { return known.first == name; });
    if (!is_new) continue;
    query.emplace_back(std::move(name), equals == std::string_view::npos
                                            ? ""
                                            : decoded_value(part.substr(equals + 1)));
  }
  return query;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? digit_of(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    plain += static_cast<char>(16 * high + low);
    i += 2;
  }
  return plain;
}

Target parse_target(std::string_view text) {
  if (!text.starts_with('/'))
    throw HttpError(400, "the first line of a request must name a path, as /v1/predict");
  text = text.substr(0, text.find('#'));
  const std::size_t question = text.find('?');
  Target target;
  target.path = decoded(text.substr(0, question));
  if (question != std::string_view::npos) target.query = parse_query(text.substr(question + 1));
  return target;
}

}  // namespace tcrops::serve
