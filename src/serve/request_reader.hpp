#pragma once

#include "http.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tcrops::serve {

// What stands in front of a request's body.
struct RequestHead {
  std::string method;
  std::string target;
  Headers headers;  // names in lower case, as they came
  std::optional<std::uint64_t> length;
  bool is_chunked = false;
  bool keeps_alive = true;  // the client means to send more
  bool is_http_1_0 = false;
  bool expects_continue = false;  // it sends the body only when it is told to

  // "" when there is none.
  [[nodiscard]] const std::string& header(std::string_view lower_name) const {
    return value_of(headers, lower_name);
  }
  [[nodiscard]] bool has_body() const { return is_chunked || length.value_or(0) > 0; }
};

struct ReadLimits {
  std::size_t header_bytes = 16'384;
  std::size_t body_bytes = std::size_t{1} << 24U;
};

// Reads one request of HTTP/1.1 or 1.0 as its bytes come: the head, then the body without the
// frames of its chunks. Takes nothing that two readers could take for different requests: an end of
// line without CR, a folded line, a length that is given twice. After an exception there is no
// telling where the next request would begin.
class RequestReader {
 public:
  explicit RequestReader(const ReadLimits& limits);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  // Reads on in bytes of which it was not told that they were read; says how many it took. Stops
  // behind the head, so that it can be looked at before the body is taken. Throws HttpError: 400
  // for what is no request, 413 for a body and 431 for a head that are too large.
  std::size_t read(std::string_view bytes);

  // Whether read() has begun; whether the head, and whether all of it is there.
  [[nodiscard]] bool has_begun() const { return has_begun_; }
  [[nodiscard]] bool has_head() const { return has_head_; }
  [[nodiscard]] bool is_done() const;
  // Once it is there. May be moved from.
  [[nodiscard]] RequestHead& head();
  [[nodiscard]] std::string& body();
  // Another request follows.
  void restart();

 private:
  class Parser;
  std::size_t read_head(std::string_view bytes);
  std::size_t read_body(std::string_view bytes);
  void look_at_lines(std::string_view bytes);

  ReadLimits limits_;
  std::unique_ptr<Parser> parser_;
  bool has_begun_ = false;
  bool has_head_ = false;
  std::size_t seen_ = 0;  // bytes of the head that were looked at, and are whole lines or less
  std::size_t body_bytes_ = 0;  // with frames
};

}  // namespace tcrops::serve
