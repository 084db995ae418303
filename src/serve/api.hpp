#pragma once

#include "metrics.hpp"
#include "router.hpp"
#include "served_models.hpp"
#include "shadow.hpp"

#include <tcrops/stages/configuration.hpp>
#include <tcrops/stages/small_table.hpp>
#include <tcrops/store/registry.hpp>
#include <tcrops/store/store.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tcrops::serve {

// A request for predictions and what came of it, for whoever keeps a record of them. What did not
// come to pass is null or empty.
struct Asked {
  const Request* request = nullptr;
  std::string route;
  std::shared_ptr<ServedModel> model;
  const stages::SmallTable* table = nullptr;
  std::span<const stages::Answer> answers;
  int status = 200;
  double seconds = 0.0;
};

// What the handlers of the API share. Outlives the router.
struct Api {
  const store::Store& store;
  const stages::PipelineConfig& pipeline;  // whose gates judge a promotion
  const CurrentModel& current;
  ServedModels& models;
  Metrics& metrics;
  std::size_t request_rows = 10'000;
  bool tokens_are_needed = false;
  std::unique_ptr<Shadow> shadow{};                // null: none
  std::function<void(const Asked&)> note_asked{};  // optional
};

// GET /v1/me: what whoever asks may do.
void add_caller_route(Router& router, const Api& api);
// POST /v1/predict, GET /v1/examples.
void add_predict_routes(Router& router, Api& api);
// GET /v1/models, /v1/models/{name}, /v1/models/{name}/versions/{version}, /v1/shadow.
void add_model_routes(Router& router, const Api& api);
// POST /v1/models/{name}/promote, /v1/models/{name}/rollback.
void add_move_routes(Router& router, const Api& api);
// The Open Inference Protocol, version 2: /v2 and below.
void add_inference_routes(Router& router, Api& api);

// One request for predictions: how its rows are read, and its answer is written.
class RowsQuestion {
 public:
  explicit RowsQuestion(const Request& request) : request_(request) {}
  virtual ~RowsQuestion() = default;
  RowsQuestion(const RowsQuestion&) = delete;
  RowsQuestion& operator=(const RowsQuestion&) = delete;

  [[nodiscard]] const Request& request() const { return request_; }
  [[nodiscard]] virtual std::string route() const = 0;
  // Called in this order. What they throw becomes the answer.
  [[nodiscard]] virtual std::shared_ptr<ServedModel> model() = 0;
  [[nodiscard]] virtual stages::SmallTable read(const ServedModel& model) = 0;
  [[nodiscard]] virtual Response write(const ServedModel& model, const stages::SmallTable& table,
                                       std::span<const stages::Answer> answers) = 0;

 private:
  const Request& request_;
};

// Answers questions that came at the same time: one response for each, 503 when too many rows wait.
// Each is counted, noted and shown to the shadow model, whatever comes of it.
[[nodiscard]] std::vector<Response> answer_rows(
    Api& api, std::span<const std::unique_ptr<RowsQuestion>> questions);

// Throws HttpError 404 when there is none of this name.
[[nodiscard]] store::RegisteredModel registered_model(const Api& api, const std::string& name);

// {"name", "version", "artifact", "data_version", "threshold"}.
[[nodiscard]] Json short_facts(const ServedModel& model);

}  // namespace tcrops::serve
