#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/stages/configuration.hpp>
#include <tcrops/store/store.hpp>

#include <functional>
#include <memory>
#include <string>

namespace tcrops::serve {

struct ServerOptions {
  std::string model;  // name, id, or "viral@champion", which is followed as it moves
  std::string device = "auto";
};

// A model behind HTTP: pages for people, /v1 for programs, the Open Inference Protocol below /v2,
// /metrics and /openapi.json.
class Server {
 public:
  // Loads, verifies and warms the model, then takes the address; clients may connect from now on,
  // and are answered once run() is called. Of the configuration the sections serve and gates count.
  // Store and configuration must outlive it. Throws Error: kArtifact and
  // kCheckFailed for a model that cannot be served, kConfiguration for the settings, kFailure for
  // the address.
  Server(const store::Store& store, const stages::PipelineConfig& config,
         const ServerOptions& options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::string address() const;  // "127.0.0.1:8080"
  [[nodiscard]] Json model() const;           // what is known of the model that answers
  [[nodiscard]] bool uses_tls() const;

  // Answers until stop() is called by another thread; returns when all that was accepted is
  // answered.
  void run();
  void stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tcrops::serve
