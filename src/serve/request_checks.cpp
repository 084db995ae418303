#include "request_checks.hpp"

#include "http.hpp"

#include <tcrops/core/text.hpp>
#include <tcrops/data/input.hpp>
#include <tcrops/stages/serve_configuration.hpp>

#include <fmt/format.h>

#include <memory>
#include <sstream>
#include <string_view>
#include <utility>

namespace tcrops::serve {
namespace {

constexpr std::size_t kUnpackBlock = 65'536;

// Whether a look at more than the first byte is worth it: gzip, zstd, zip, xz and bzip2.
bool may_be_packed(const std::string& body) {
  constexpr std::string_view kFirst =
      "\x1F(P\xFD"
      "B";
  return !body.empty() && kFirst.find(body.front()) != std::string_view::npos;
}

}  // namespace

bool is_chunked(const httplib::Request& request) {
  return to_lower(request.get_header_value("Transfer-Encoding")) == "chunked";
}

bool has_body(const httplib::Request& request) {
  return request.has_header("Transfer-Encoding") ||
         (request.has_header("Content-Length") &&
          request.get_header_value("Content-Length") != "0");
}

void require_readable_body(const httplib::Request& request, std::size_t most_bytes) {
  if (request.get_header_value_count("Content-Length") > 1 ||
      request.get_header_value_count("Transfer-Encoding") > 1 ||
      (request.has_header("Content-Length") && request.has_header("Transfer-Encoding"))) {
    throw HttpError(400, "the length of the body is given twice");
  }
  if (request.has_header("Transfer-Encoding") && !is_chunked(request))
    throw HttpError(501, "Transfer-Encoding may only be \"chunked\"");
  if (request.has_header("Content-Length")) {
    const auto length = parse_integer(request.get_header_value("Content-Length"));
    if (!length || *length < 0) throw HttpError(400, "Content-Length is no number");
    if (static_cast<std::size_t>(*length) > most_bytes) {
      throw HttpError(413, fmt::format("the body has {} bytes, at most {} are taken "
                                       "(serve.body_bytes); send the rows in parts",
                                       *length, most_bytes));
    }
  } else if (request.method == "POST" && !is_chunked(request)) {
    throw HttpError(411, "a body needs a Content-Length, or chunks");
  }
  if (request.method != "POST" && has_body(request))
    throw HttpError(400, fmt::format("{} takes no body", request.method));
  const std::string encoding = to_lower(request.get_header_value(kBodyEncoding));
  if (!encoding.empty() && encoding != "identity" && encoding != "gzip")
    throw HttpError(415, "Content-Encoding may only be gzip");
  const std::string type = media_type(request.get_header_value("Content-Type"));
  if (type == "application/x-www-form-urlencoded")
    throw HttpError(415, fmt::format("{}: send JSON, CSV, TSV or a file", type));
}

bool is_loopback_name(const std::string& host) {
  const bool bracketed = host.starts_with('[');
  const std::size_t end = bracketed ? host.find(']') : host.find(':');
  const std::string name =
      bracketed && end != std::string::npos ? host.substr(1, end - 1) : host.substr(0, end);
  return stages::ListenAddress{to_lower(name), 0}.is_loopback();
}

void unpack(std::string& body, bool must_be_gzip, std::size_t most_bytes) {
  if (must_be_gzip && !body.starts_with("\x1F\x8B"))
    throw HttpError(400, "the body is not the gzip that it says it is");
  if (!must_be_gzip && !may_be_packed(body)) return;
  data::Input input = data::open_input(std::make_unique<std::istringstream>(body), "body");
  if (input.compression.empty()) return;
  std::string plain;
  std::string block(kUnpackBlock, '\0');
  while (input.stream->read(block.data(), static_cast<std::streamsize>(block.size())),
         input.stream->gcount() > 0) {
    plain.append(block, 0, static_cast<std::size_t>(input.stream->gcount()));
    if (plain.size() > most_bytes) {
      throw HttpError(413, fmt::format("unpacked, the body has more than {} bytes "
                                       "(serve.body_bytes); send the rows in parts",
                                       most_bytes));
    }
  }
  body = std::move(plain);
}

}  // namespace tcrops::serve
