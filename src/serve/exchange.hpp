#pragma once

#include "request_reader.hpp"
#include "router.hpp"
#include "tokens.hpp"
#include "url.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace tcrops::serve {

// What happened to one request, for metrics and the log.
struct Served {
  std::string_view route;  // a route's path, or "none"
  int status = 0;
  double seconds = 0.0;
};

// What all exchanges of a server have in common.
struct Front {
  const Router& router;
  Tokens tokens;
  std::size_t most_body_bytes = std::size_t{1} << 24U;
  // Lines for the header of an answer that does not say which model answered.
  std::function<std::shared_ptr<const std::string>()> model_lines;
  std::function<void(const Served&)> on_served;
};

// One request and its answer, from the moment its head is there. Used by one thread at a time.
class Exchange {
 public:
  using Clock = std::chrono::steady_clock;

  // Of a request of which nothing can be known.
  explicit Exchange(const Front& front);
  Exchange(const Front& front, const RequestHead& head);

  // Finds the route, and asks whether whoever asks may take it and whether the body may come.
  // Throws HttpError.
  void admit(const RequestHead& head);
  // Whether the route answers it together with others: it is a small object of JSON, of few rows,
  // and asks for nothing else.
  [[nodiscard]] bool is_for_together(const RequestHead& head, const std::string& body) const;
  // The request as handlers see it: unpacked, and of a form the file. Throws HttpError, and Error
  // (kInputData) for a damaged body.
  [[nodiscard]] Request request(RequestHead&& head, std::string&& body);
  // Asks the route's handler; what it throws becomes an answer.
  [[nodiscard]] Response handled(RequestHead&& head, std::string&& body);

  // All that is sent. `last`: the connection closes after it.
  [[nodiscard]] Message message(Response&& response, bool last);
  // The same for an error, and for whatever is being handled as an exception.
  [[nodiscard]] Message message(const HttpError& error, bool last);
  [[nodiscard]] Message message_of_failure(bool last);

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] bool keeps_alive() const { return keeps_alive_; }
  // Once admitted.
  [[nodiscard]] const Route& route() const { return *match_.route; }

 private:
  void require_own_site(const RequestHead& head) const;
  void require_role() const;
  void require_readable_body(const RequestHead& head) const;
  void note(int status) const;

  const Front* front_;
  std::string id_;
  std::string method_;
  Target target_;
  Router::Match match_;
  Caller caller_;
  bool keeps_alive_ = false;
  bool is_http_1_0_ = false;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace tcrops::serve
