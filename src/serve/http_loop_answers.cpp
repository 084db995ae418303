// How a loop has requests answered that it has read.
#include "http_loop.hpp"

#include <tcrops/core/log.hpp>

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <new>
#include <thread>
#include <utility>

namespace tcrops::serve {
namespace {

constexpr std::chrono::milliseconds kNoMemoryPause{10};

}  // namespace

void HttpLoop::ask_workers(Client& client) {
  Connection& connection = client.connection;
  Workers& workers =
      client.exchange->route().role == Role::kPredict ? context_.predicting : context_.others;
  auto job = std::make_shared<Job>(std::move(*client.exchange), std::move(connection.head()),
                                   std::move(connection.body()));
  workers.add([this, job, id = connection.id()] { work(job, id); });
  client.job = std::move(job);
  ++jobs_;
}

// By a worker.
void HttpLoop::work(const std::shared_ptr<Job>& job, std::uint64_t id) {
  try {
    if (!job->is_abandoned) {
      Response response = job->exchange.handled(std::move(job->head), std::move(job->body));
      job->last = context_.stopping || !job->exchange.keeps_alive();
      job->message = job->exchange.message(std::move(response), job->last);
    }
  } catch (const std::exception& e) {  // no memory, not even for an error
    log_error(fmt::format("a request is not answered: {}", e.what()));
    job->message = {};
  }
  for (;;) {
    try {
      post([this, id] { end_job(id); });
      return;
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(kNoMemoryPause);
    }
  }
}

void HttpLoop::end_job(std::uint64_t id) {
  --jobs_;
  Client& client = *clients_.at(id);
  const std::shared_ptr<Job> job = std::move(client.job);
  if (client.is_gone || job->message.head.empty()) {
    remove(id);
    return;
  }
  answer(client, std::move(job->message), job->last);
  drive(client);
}

// Those that are complete now; what comes meanwhile has its turn after other events.
void HttpLoop::answer_together() {
  std::vector<std::uint64_t> all = std::exchange(together_, {});
  while (!all.empty()) {
    const Route* const route = &clients_.at(all.front())->exchange->route();
    std::vector<std::uint64_t> some;
    std::erase_if(all, [&](std::uint64_t id) {
      const bool is_same = &clients_.at(id)->exchange->route() == route;
      if (is_same) some.push_back(id);
      return is_same;
    });
    answer_some(some);
  }
}

// Requests of one route.
void HttpLoop::answer_some(const std::vector<std::uint64_t>& ids) {
  std::vector<std::uint64_t> whole;
  std::vector<Request> requests;
  for (const std::uint64_t id : ids) {
    Client& client = *clients_.at(id);
    try {
      requests.push_back(client.exchange->request(std::move(client.connection.head()),
                                                  std::move(client.connection.body())));
      whole.push_back(id);
    } catch (...) {
      answer_failure(id);
    }
  }
  if (!whole.empty()) answer_each(whole, requests);
}

void HttpLoop::answer_each(const std::vector<std::uint64_t>& ids,
                           std::span<const Request> requests) {
  std::vector<Response> responses;
  try {
    responses = clients_.at(ids.front())->exchange->route().together(requests);
  } catch (...) {
    for (const std::uint64_t id : ids) answer_failure(id);
    return;
  }
  now_ = Clock::now();
  for (std::size_t i = 0; i < ids.size(); ++i) answer_with(ids[i], std::move(responses.at(i)));
}

void HttpLoop::answer_with(std::uint64_t id, Response&& response) {
  Client& client = *clients_.at(id);
  try {
    const bool last = is_last(client);
    answer(client, client.exchange->message(std::move(response), last), last);
  } catch (const std::exception& e) {
    give_up(id, e);
    return;
  }
  drive(client);
}

// With the exception that is being handled.
void HttpLoop::answer_failure(std::uint64_t id) {
  try {
    answer_with(id, response_to_exception(clients_.at(id)->exchange->id()));
  } catch (const std::exception& e) {
    give_up(id, e);
  }
}

}  // namespace tcrops::serve
