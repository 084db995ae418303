#include "form.hpp"

#include "http.hpp"

#include <tcrops/core/text.hpp>

#include <algorithm>

namespace tcrops::serve {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeaderEnd = "\r\n\r\n";
constexpr std::size_t kLongestBoundary = 70;  // RFC 2046, 5.1.1

[[noreturn]] void refuse() {
  throw HttpError(400, "a form must have one part, a file named \"file\"");
}

// Cuts a text off behind `mark`; refuses one that does not begin with it.
std::string_view behind(std::string_view text, std::string_view mark) {
  if (!text.starts_with(mark)) refuse();
  return text.substr(mark.size());
}

// The value of a parameter as in `form-data; name="file"`; "" when there is none.
std::string parameter_of(std::string_view header, std::string_view name) {
  for (const std::string& part : split(header, ';')) {
    const std::string_view parameter = trim(part);
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos || to_lower(trim(parameter.substr(0, equals))) != name)
      continue;
    std::string_view value = trim(parameter.substr(equals + 1));
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"'))
      value = value.substr(1, value.size() - 2);
    return std::string(value);
  }
  return {};
}

Headers headers_of(std::string_view text) {
  Headers headers;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find(kLineEnd));
    text.remove_prefix(std::min(line.size() + kLineEnd.size(), text.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) refuse();
    headers.emplace_back(to_lower(trim(line.substr(0, colon))), trim(line.substr(colon + 1)));
  }
  return headers;
}

}  // namespace

std::string form_boundary(std::string_view content_type) {
  if (media_type(content_type) != "multipart/form-data") return {};
  std::string boundary = parameter_of(content_type, "boundary");
  if (boundary.empty() || boundary.size() > kLongestBoundary)
    throw HttpError(400, "the Content-Type of a form must name its boundary");
  return boundary;
}

FormFile file_of_form(std::string_view body, std::string_view boundary) {
  const std::string mark = "--" + std::string(boundary);
  std::string_view rest = behind(behind(body, mark), kLineEnd);
  const std::size_t header_end = rest.find(kHeaderEnd);
  if (header_end == std::string_view::npos) refuse();
  const Headers headers = headers_of(rest.substr(0, header_end));
  rest.remove_prefix(header_end + kHeaderEnd.size());
  const std::size_t end = rest.find("\r\n" + mark);
  if (end == std::string_view::npos) refuse();
  if (!rest.substr(end + kLineEnd.size() + mark.size()).starts_with("--")) refuse();
  if (parameter_of(value_of(headers, "content-disposition"), "name") != "file") refuse();
  return {value_of(headers, "content-type"), std::string(rest.substr(0, end))};
}

}  // namespace tcrops::serve
