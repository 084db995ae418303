#pragma once

#include "tokens.hpp"

#include <tcrops/core/json.hpp>

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tcrops::serve {

using Headers = std::vector<std::pair<std::string, std::string>>;

// A request as the API sees it, whatever library read it.
struct Request {
  std::string method;
  std::string path;                            // decoded, without the query
  std::map<std::string, std::string> query;    // of a repeated name the first value
  std::map<std::string, std::string> headers;  // names in lower case; of a repeated one the first
  std::string body;
  std::string id;  // says which request is meant in logs and answers
  Caller caller;   // who asks

  // "" when there is none.
  [[nodiscard]] std::string header(const std::string& lower_name) const;
  [[nodiscard]] std::string query_value(const std::string& name) const;
};

struct Response {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  Headers headers{};
};

// Ends a request with a status of 400 or more and a text for whoever asked.
class HttpError : public std::runtime_error {
 public:
  HttpError(int status, const std::string& message, Headers headers = {})
      : std::runtime_error(message), status_(status), headers_(std::move(headers)) {}
  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] const Headers& headers() const noexcept { return headers_; }

 private:
  int status_;
  Headers headers_;
};

[[nodiscard]] Response json_response(const Json& body);
// {"error": …, "request_id": …}
[[nodiscard]] Response error_response(const HttpError& error, const std::string& request_id);
// The answer to whatever a handler threw; what is not the asker's fault goes to the log instead.
[[nodiscard]] Response response_to_exception(const std::string& request_id);

// The status of that answer. Both only where an exception is being handled.
[[nodiscard]] int status_of_exception();

// The one given, if it is 1 to 64 letters, digits and ._-, else a new one.
[[nodiscard]] std::string request_id(const std::string& given);

// The media type of a Content-Type: lower case, without parameters. "" for none.
[[nodiscard]] std::string media_type(std::string_view header);
// Which of the offered types an Accept header wants most; the first of equal ones; "" when it wants
// none of them. An empty header wants anything.
[[nodiscard]] std::string accepted_type(std::string_view accept,
                                        const std::vector<std::string>& offered);

}  // namespace tcrops::serve
