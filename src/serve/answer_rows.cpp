// What every request for predictions has in common.
#include "api.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

namespace tcrops::serve {
namespace {

using Clock = std::chrono::steady_clock;

// A question on its way to its answer.
class Answered {
 public:
  Answered(Api& api, RowsQuestion& question) : api_(api), question_(question) {
    asked_.request = &question.request();
    asked_.route = question.route();
    settle([&] {
      asked_.model = question_.model();
      table_.emplace(question_.read(*asked_.model));
    });
  }

  [[nodiscard]] bool is_open() const { return !response_; }
  [[nodiscard]] ServedModel& model() const { return *asked_.model; }
  [[nodiscard]] std::span<const data::Record> records() const { return table_->records(); }

  void take(Engine::Outcome outcome) {
    settle([&] {
      if (outcome.fault) std::rethrow_exception(outcome.fault);
      if (!outcome.answers) {
        throw HttpError(503, "too many rows wait already (serve.queue_rows); try again",
                        {{"Retry-After", "1"}});
      }
      answers_ = std::move(*outcome.answers);
      asked_.table = &*table_;
      asked_.answers = answers_;
      count();
      response_ = question_.write(model(), *table_, answers_);
      response_->model_lines = model().header_lines();
    });
  }

  // Once it is answered.
  Response finish() {
    asked_.status = response_->status;
    const std::chrono::duration<double> spent = Clock::now() - begin_;
    asked_.seconds = spent.count();
    if (api_.note_asked) api_.note_asked(asked_);
    return std::move(*response_);
  }

 private:
  void settle(const std::function<void()>& step) {
    try {
      step();
    } catch (...) {
      response_ = response_to_exception(question_.request().id);
    }
  }

  void count() {
    api_.metrics.count_rows(model().labels(), *table_, answers_);
    const std::string& id = model().identity().artifact.id;
    if (api_.shadow && id == api_.current.get()->identity().artifact.id)
      api_.shadow->offer(id, table_->records(), answers_);
  }

  Api& api_;
  RowsQuestion& question_;
  Clock::time_point begin_ = Clock::now();
  std::optional<stages::SmallTable> table_;
  std::vector<stages::Answer> answers_;
  Asked asked_;
  std::optional<Response> response_;
};

// Those that ask the same model as the first one that is open.
void answer_first_model(std::span<Answered> all) {
  const auto first =
      std::find_if(all.begin(), all.end(), [](const Answered& each) { return each.is_open(); });
  if (first == all.end()) return;
  ServedModel& model = first->model();
  std::vector<Answered*> some;
  std::vector<std::span<const data::Record>> records;
  for (auto at = first; at != all.end(); ++at) {
    if (!at->is_open() || &at->model() != &model) continue;
    some.push_back(&*at);
    records.push_back(at->records());
  }
  auto outcomes = model.engine().outcomes(records);
  for (std::size_t i = 0; i < some.size(); ++i) some[i]->take(std::move(outcomes[i]));
}

}  // namespace

std::vector<Response> answer_rows(Api& api,
                                  std::span<const std::unique_ptr<RowsQuestion>> questions) {
  std::vector<Answered> all;
  all.reserve(questions.size());
  for (const auto& question : questions) all.emplace_back(api, *question);
  while (std::any_of(all.begin(), all.end(), [](const Answered& each) { return each.is_open(); }))
    answer_first_model(all);
  std::vector<Response> responses;
  responses.reserve(all.size());
  for (Answered& each : all) responses.push_back(each.finish());
  return responses;
}

Json short_facts(const ServedModel& model) {
  const Json& facts = model.facts();
  return {{"name", facts.at("name")},
          {"version", facts.at("version")},
          {"artifact", facts.at("artifact")},
          {"data_version", facts.at("data_version")},
          {"threshold", facts.at("threshold")}};
}

}  // namespace tcrops::serve
