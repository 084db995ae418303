#pragma once

#include "current_model.hpp"

#include <tcrops/store/store.hpp>

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>

namespace tcrops::serve {

// The models that a request may name: the one that is served, and every registered version. Those
// are loaded when they are first asked for, and the last few are kept. Thread-safe.
class ServedModels {
 public:
  using Load = std::function<std::shared_ptr<ServedModel>(ModelIdentity)>;

  // `kept` more than the one that is served, at least one.
  ServedModels(const store::Store& store, const CurrentModel& current, Load load, std::size_t kept);

  // "" is the model that is served, as is its own reference; else "name@champion" or "name@v3". A
  // version that is not in memory is loaded and verified first. Throws HttpError: 404 for what is
  // not registered, 503 for a version that cannot be served.
  [[nodiscard]] std::shared_ptr<ServedModel> named(const std::string& reference);

 private:
  [[nodiscard]] std::shared_ptr<ServedModel> loaded(const ModelIdentity& identity);

  const store::Store& store_;
  const CurrentModel& current_;
  Load load_;
  std::size_t kept_;
  std::mutex mutex_;                                // held while one is loaded
  std::list<std::shared_ptr<ServedModel>> others_;  // asked for last first
};

}  // namespace tcrops::serve
