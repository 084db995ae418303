#include "request_reader.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <limits>

namespace tcrops::serve {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using ErrorCode = boost::beast::error_code;

constexpr std::string_view kHeadEnd = "\r\n\r\n";
// What a body may take with what frames its chunks.
constexpr std::size_t kFraming = 2;
constexpr std::size_t kUnframed = 65'536;
// Set aside on a client's word that so much will come.
constexpr std::size_t kReserved = std::size_t{1} << 20U;

std::string_view view_of(string_view text) { return {text.data(), text.size()}; }

HttpError no_request() { return {400, "this is no request of HTTP/1.1"}; }

HttpError too_large_body() {
  return {413, "the body is too large (serve.body_bytes); send the rows in parts"};
}

}  // namespace

class RequestReader::Parser : public http::basic_parser<true> {
 public:
  explicit Parser(std::size_t most_body_bytes) : most_body_bytes_(most_body_bytes) {
    header_limit(std::numeric_limits<std::uint32_t>::max());
    body_limit(std::numeric_limits<std::uint64_t>::max());
  }

  RequestHead head;
  std::string body;

 private:
  void on_request_impl(http::verb /*method*/, string_view method, string_view target, int version,
                       ErrorCode& /*error*/) override {
    head.method = view_of(method);
    head.target = view_of(target);
    head.is_http_1_0 = version == 10;
  }
  void on_field_impl(http::field /*field*/, string_view name, string_view value,
                     ErrorCode& /*error*/) override {
    if (is_head_done_) return;  // behind the last chunk
    head.headers.emplace_back(to_lower(view_of(name)), view_of(value));
  }
  void on_header_impl(ErrorCode& /*error*/) override { is_head_done_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>& length,
                         ErrorCode& /*error*/) override {
    if (length) body.reserve(std::min<std::size_t>(*length, kReserved));
  }
  std::size_t on_body_impl(string_view bytes, ErrorCode& error) override {
    if (body.size() + bytes.size() > most_body_bytes_) {
      error = http::error::body_limit;
      return 0;
    }
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  std::size_t on_chunk_body_impl(std::uint64_t /*left*/, string_view bytes,
                                 ErrorCode& error) override {
    return on_body_impl(bytes, error);
  }
  void on_chunk_header_impl(std::uint64_t /*size*/, string_view /*extensions*/,
                            ErrorCode& /*error*/) override {}
  void on_finish_impl(ErrorCode& /*error*/) override {}
  void on_response_impl(int /*status*/, string_view /*reason*/, int /*version*/,
                        ErrorCode& /*error*/) override {}

  std::size_t most_body_bytes_;
  bool is_head_done_ = false;
};

RequestReader::RequestReader(const ReadLimits& limits) : limits_(limits) { restart(); }
RequestReader::~RequestReader() = default;

void RequestReader::restart() {
  parser_ = std::make_unique<Parser>(limits_.body_bytes);
  has_begun_ = false;
  has_head_ = false;
  seen_ = 0;
  body_bytes_ = 0;
}

bool RequestReader::is_done() const { return has_head_ && parser_->is_done(); }
RequestHead& RequestReader::head() { return parser_->head; }
std::string& RequestReader::body() { return parser_->body; }

std::size_t RequestReader::read(std::string_view bytes) {
  has_begun_ = has_begun_ || !bytes.empty();
  if (!has_head_) return read_head(bytes);
  return is_done() ? 0 : read_body(bytes);
}

// The parser would join a folded line to the one before, and wait for a CR that never comes.
void RequestReader::look_at_lines(std::string_view bytes) {
  while (true) {
    const std::size_t end = bytes.find('\n', seen_);
    if (end == std::string_view::npos) {
      seen_ = bytes.size();
      return;
    }
    if (end == 0 || bytes[end - 1] != '\r') throw no_request();
    if (end + 1 == bytes.size()) {
      seen_ = end;  // what follows is not known yet
      return;
    }
    if (bytes[end + 1] == ' ' || bytes[end + 1] == '\t') throw no_request();
    seen_ = end + 1;
  }
}

std::size_t RequestReader::read_head(std::string_view bytes) {
  const std::size_t end = bytes.find(kHeadEnd, std::max<std::size_t>(seen_, 3) - 3);
  const std::size_t size = end == std::string_view::npos ? bytes.size() : end + kHeadEnd.size();
  if (size > limits_.header_bytes) {
    throw HttpError(431, fmt::format("at most {} bytes of headers are taken (serve.header_bytes)",
                                     limits_.header_bytes));
  }
  look_at_lines(bytes.substr(0, size));
  if (end == std::string_view::npos) return 0;
  ErrorCode error;
  const std::size_t taken = parser_->put({bytes.data(), size}, error);
  if (error || taken != size || !parser_->is_header_done()) throw no_request();
  has_head_ = true;
  RequestHead& head = parser_->head;
  const auto count = [&](std::string_view name) {
    return std::count_if(head.headers.begin(), head.headers.end(),
                         [&](const auto& header) { return header.first == name; });
  };
  const auto lengths = count("content-length");
  const auto encodings = count("transfer-encoding");
  if (lengths + encodings > 1) throw HttpError(400, "the length of the body is given twice");
  head.is_chunked = parser_->chunked();
  if (encodings == 1 && to_lower(head.header("transfer-encoding")) != "chunked")
    throw HttpError(501, "Transfer-Encoding may only be \"chunked\"");
  if (lengths == 1) {
    const auto length = parser_->content_length();
    const bool is_plain =
        head.header("content-length").find_first_not_of("0123456789") == std::string::npos;
    if (!length || !is_plain) throw HttpError(400, "Content-Length is no number");
    head.length = *length;
  }
  head.keeps_alive = parser_->keep_alive();
  head.expects_continue = to_lower(head.header("expect")) == "100-continue";
  parser_->eager(true);
  return size;
}

std::size_t RequestReader::read_body(std::string_view bytes) {
  ErrorCode error;
  const std::size_t taken = parser_->put({bytes.data(), bytes.size()}, error);
  body_bytes_ += taken;
  if (error == http::error::body_limit || body_bytes_ > kFraming * limits_.body_bytes + kUnframed ||
      bytes.size() - taken > limits_.body_bytes + kUnframed)
    throw too_large_body();
  if (error && error != http::error::need_more)
    throw HttpError(400, "the body ends early, or its chunks are none");
  return taken;
}

}  // namespace tcrops::serve
