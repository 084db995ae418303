#include "api.hpp"
#include "http_server.hpp"
#include "openapi.hpp"
#include "pages.hpp"
#include "queries_api.hpp"
#include "tokens.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/serve/server.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace tcrops::serve {
namespace {

constexpr unsigned kMostCopies = 4;  // unless more are asked for

std::size_t copies_of(const stages::ServeConfig& config) {
  if (config.copies > 0) return static_cast<std::size_t>(config.copies);
  return std::clamp(std::thread::hardware_concurrency(), 1U, kMostCopies);
}

EngineLimits limits_of(const stages::ServeConfig& config) {
  return {static_cast<std::size_t>(config.batch_rows), static_cast<std::size_t>(config.queue_rows)};
}

stages::ListenAddress address_of(const stages::ServeConfig& config) {
  const auto address = stages::parse_listen(config.listen);
  if (!address)
    throw Error(ExitCode::kConfiguration,
                fmt::format("serve.listen: \"{}\" is no address; write HOST:PORT", config.listen));
  if (!address->is_loopback() && config.token_file.empty())
    throw Error(ExitCode::kConfiguration, "serve.listen: others are only served with a token file");
  return *address;
}

Tokens tokens_of(const stages::ServeConfig& config) {
  return config.token_file.empty() ? Tokens() : Tokens::read(config.token_file);
}

// Null: none is kept.
std::unique_ptr<QueryLog> query_log_of(const store::Store& store,
                                       const stages::ServeConfig& config) {
  if (config.query_log == "none") return nullptr;
  QueryLogOptions options;
  options.file = config.query_log.empty() ? default_query_log(store.root())
                                          : std::filesystem::path(config.query_log);
  options.inputs = config.log_sequences;
  options.keep_days = static_cast<double>(config.keep_days);
  return std::make_unique<QueryLog>(options);
}

}  // namespace

struct Server::Parts {
  Parts(const store::Store& models_in, const stages::PipelineConfig& settings,
        const ServerOptions& options)
      : store(models_in),
        pipeline(settings),
        device(options.device),
        address(address_of(settings.serve)),
        query_log(query_log_of(models_in, settings.serve)),
        current(
            store, options.model,
            [this](ModelIdentity identity) { return load(identity, copies()); },
            [this](const std::shared_ptr<ServedModel>& next) { note_swap(next); }, poll()),
        models(
            store, current, [this](ModelIdentity identity) { return load(identity, 1); },
            static_cast<std::size_t>(config().more_models)),
        api{store, pipeline, current, models, metrics},
        http(
            config(), router, tokens_of(config()), copies(),
            [this] { return current.get()->header_lines(); },
            [this](const Served& served) { metrics.count_request(served); }) {
    metrics.set_model(current.get()->labels());
    api.request_rows = static_cast<std::size_t>(config().request_rows);
    api.tokens_are_needed = !config().token_file.empty();
    if (!config().shadow.empty()) api.shadow = make_shadow();
    if (query_log) api.note_asked = [this](const Asked& asked) { query_log->note(asked); };
    add_routes();
    address.port = http.bind(address);
  }

  [[nodiscard]] const stages::ServeConfig& config() const { return pipeline.serve; }
  [[nodiscard]] std::size_t copies() const { return copies_of(config()); }
  [[nodiscard]] std::chrono::milliseconds poll() const {
    return std::chrono::milliseconds(static_cast<int>(config().poll_seconds * 1000.0));
  }

  std::shared_ptr<ServedModel> load(const ModelIdentity& identity, std::size_t copies) {
    return std::make_shared<ServedModel>(
        store, identity, copies, device, limits_of(config()),
        [this](const Engine::Batch& batch) { metrics.count_batch(batch); });
  }

  std::unique_ptr<Shadow> make_shadow() {
    std::string reference = config().shadow;
    if (reference.find('@') == std::string::npos)
      reference = current.get()->identity().name + "@" + reference;
    auto model = std::make_unique<CurrentModel>(
        store, reference,
        [this](const ModelIdentity& identity) {
          return std::make_shared<ServedModel>(store, identity, 1, device, limits_of(config()),
                                               Engine::OnBatch());
        },
        [](const std::shared_ptr<ServedModel>&) {}, poll());
    return std::make_unique<Shadow>(
        std::move(model), static_cast<std::size_t>(config().queue_rows),
        [this](double difference) { metrics.count_shadow_difference(difference); });
  }

  void add_routes() {
    add_caller_route(router, api);
    add_predict_routes(router, api);
    add_model_routes(router, api);
    add_move_routes(router, api);
    add_inference_routes(router, api);
    add_query_routes(router, query_log.get(),
                     [this](const QueryDetail& of, const std::string& model) {
                       return rescore(api, of, model);
                     });
    add_monitor_route(router, query_log.get());
    add_page_routes(router);
    router.add({"GET", "/openapi.json",
                [](const Request&, const PathValues&) {
                  Response response;
                  response.body = openapi_text();
                  return response;
                },
                kAnybody});
    router.add({"GET", "/metrics", [this](const Request&, const PathValues&) {
                  if (query_log) metrics.set_query_log(query_log->counts());
                  Response response;
                  response.type = "text/plain; version=0.0.4; charset=utf-8";
                  response.body =
                      metrics.text(current.get()->engine().queued_rows(), http.connections());
                  return response;
                }});
  }

  void note_swap(const std::shared_ptr<ServedModel>& next) {
    metrics.count_swap(next != nullptr);
    if (!next) return;
    metrics.set_model(next->labels());
    log_info(fmt::format("{} is version {} now (model {})", next->identity().name,
                         next->identity().version, next->identity().artifact.short_id()));
  }

  const store::Store& store;
  const stages::PipelineConfig& pipeline;
  const std::string device;
  stages::ListenAddress address;
  std::unique_ptr<QueryLog> query_log;  // null: none
  Metrics metrics;
  CurrentModel current;
  ServedModels models;
  Router router;
  Api api;
  HttpServer http;
};

Server::Server(const store::Store& store, const stages::PipelineConfig& config,
               const ServerOptions& options)
    : parts_(std::make_unique<Parts>(store, config, options)) {}
Server::~Server() = default;

std::string Server::address() const { return parts_->address.text(); }
Json Server::model() const { return parts_->current.get()->facts(); }
bool Server::uses_tls() const { return !parts_->config().tls_certificate.empty(); }
void Server::run() { parts_->http.run(); }
void Server::stop() { parts_->http.stop(); }

}  // namespace tcrops::serve
