#pragma once

#include "tokens.hpp"

#include <tcrops/core/json.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tcrops::serve {

using Headers = std::vector<std::pair<std::string, std::string>>;

// A request as the API sees it.
struct Request {
  std::string method;
  std::string path;   // decoded, without the query
  Headers query{};    // decoded; of a repeated name the first value counts
  Headers headers{};  // names in lower case; of a repeated one the first value counts
  std::string body{};
  std::string id{};  // says which request is meant in logs and answers
  Caller caller{};   // who asks

  // "" when there is none.
  [[nodiscard]] const std::string& header(std::string_view lower_name) const;
  [[nodiscard]] const std::string& query_value(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string type = "application/json";
  std::string body{};
  Headers headers{};
  // Lines of the header that say which model answered; the server's own says so where this is null.
  std::shared_ptr<const std::string> model_lines{};
};

// What is sent of a response: its head with all or nothing of its body, and the body then.
struct Message {
  std::string head;
  std::string body;
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

// The value of a name, "" when there is none.
[[nodiscard]] const std::string& value_of(const Headers& headers, std::string_view name);

[[nodiscard]] Response json_response(const Json& body);
// {"error": …, "request_id": …}
[[nodiscard]] Response error_response(const HttpError& error, const std::string& request_id);
// The answer to whatever a handler threw; what is not the asker's fault goes to the log instead.
// Only where an exception is being handled.
[[nodiscard]] Response response_to_exception(const std::string& request_id);

// The one given, if it is 1 to 64 letters, digits and ._-, else a new one.
[[nodiscard]] std::string request_id(const std::string& given);

// The media type of a Content-Type: lower case, without parameters. "" for none.
[[nodiscard]] std::string media_type(std::string_view header);
// Which of the offered types an Accept header wants most; the first of equal ones; "" when it wants
// none of them. An empty header wants anything.
[[nodiscard]] std::string accepted_type(std::string_view accept,
                                        const std::vector<std::string>& offered);

}  // namespace tcrops::serve
