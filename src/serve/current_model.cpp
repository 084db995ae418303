#include "current_model.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>

#include <fmt/format.h>

#include <utility>

namespace tcrops::serve {
namespace {

// A store on a network file system may be away for a moment.
constexpr std::chrono::seconds kRetry{30};

}  // namespace

CurrentModel::CurrentModel(const store::Store& store, std::string reference, Load load,
                           OnSwap on_swap, std::chrono::milliseconds poll)
    : store_(store),
      reference_(std::move(reference)),
      load_(std::move(load)),
      on_swap_(std::move(on_swap)),
      poll_(poll),
      stamp_(store_.stamp(reference_)) {
  model_ = load_(identify(store_, reference_));
  watcher_ = std::thread([this] { watch(); });
}

CurrentModel::~CurrentModel() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ending_changed_.notify_all();
  watcher_.join();
}

std::shared_ptr<ServedModel> CurrentModel::get() const {
  const std::lock_guard lock(mutex_);
  return model_;
}

std::string CurrentModel::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void CurrentModel::watch() {
  std::unique_lock lock(mutex_);
  while (!ending_changed_.wait_for(lock, poll_, [&] { return ending_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

void CurrentModel::look() {
  // Taken first: a move while the model is read is seen the next time.
  std::string stamp = store_.stamp(reference_);
  const bool failed = !problem().empty();
  if (stamp == stamp_ && !(failed && std::chrono::steady_clock::now() >= retry_)) return;
  stamp_ = std::move(stamp);
  const auto old = get();  // goes when this function does, and no request holds it
  std::shared_ptr<ServedModel> next;
  std::string problem;
  try {
    ModelIdentity identity = identify(store_, reference_);
    if (identity.artifact.id == old->identity().artifact.id &&
        identity.version == old->identity().version) {
      const std::lock_guard lock(mutex_);
      problem_.clear();
      return;
    }
    next = load_(std::move(identity));
  } catch (const std::exception& e) {
    problem = e.what();
    retry_ = std::chrono::steady_clock::now() + kRetry;
    log_error(
        fmt::format("{} means another model now, but that cannot be served: {}; the old one "
                    "goes on",
                    reference_, problem));
  }
  {
    const std::lock_guard lock(mutex_);
    problem_ = problem;
    if (next) model_ = next;
  }
  on_swap_(next);
}

}  // namespace tcrops::serve
