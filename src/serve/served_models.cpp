#include "served_models.hpp"

#include "http.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tcrops::serve {
namespace {

bool are_same(const ModelIdentity& a, const ModelIdentity& b) {
  return a.artifact.id == b.artifact.id && a.name == b.name && a.version == b.version;
}

ModelIdentity registered_identity(const store::Store& store, const std::string& reference) {
  try {
    if (reference.find('@') != std::string::npos) return identify(store, reference);
  } catch (const Error& e) {
    throw HttpError(404, e.what());
  }
  throw HttpError(404, fmt::format("no model \"{}\" here: NAME@champion or NAME@v1 is needed; GET "
                                   "/v1/models lists them",
                                   valid_utf8(reference)));
}

}  // namespace

ServedModels::ServedModels(const store::Store& store, const CurrentModel& current, Load load,
                           std::size_t kept)
    : store_(store),
      current_(current),
      load_(std::move(load)),
      kept_(std::max<std::size_t>(kept, 1)) {}

std::shared_ptr<ServedModel> ServedModels::named(const std::string& reference) {
  auto current = current_.get();
  if (reference.empty() || reference == current->identity().reference) return current;
  ModelIdentity identity = registered_identity(store_, reference);
  if (are_same(identity, current->identity())) return current;
  return loaded(identity);
}

std::shared_ptr<ServedModel> ServedModels::loaded(const ModelIdentity& identity) {
  const std::lock_guard lock(mutex_);
  const auto at = std::find_if(others_.begin(), others_.end(), [&](const auto& each) {
    return are_same(each->identity(), identity);
  });
  if (at != others_.end()) {
    others_.splice(others_.begin(), others_, at);
    return others_.front();
  }
  try {
    others_.push_front(load_(identity));
  } catch (const Error& e) {
    log_error(fmt::format("{} version {} cannot be served: {}", identity.name, identity.version,
                          e.what()));
    throw HttpError(503, fmt::format("{} version {} is damaged or cannot be loaded; the server's "
                                     "log says more",
                                     identity.name, identity.version));
  }
  if (others_.size() > kept_) others_.pop_back();
  return others_.front();
}

}  // namespace tcrops::serve
