#include "shadow.hpp"

#include <tcrops/core/log.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace tcrops::serve {
namespace {

std::optional<double> score_of(const stages::Answer& answer) {
  if (!answer.problem.empty()) return std::nullopt;
  return answer.score;
}

void add(ShadowReport& report, double difference, bool other_call) {
  ++report.compared;
  report.other_calls += other_call ? 1 : 0;
  const auto count = static_cast<double>(report.compared);
  report.mean_difference += (difference - report.mean_difference) / count;
  report.mean_absolute += (std::abs(difference) - report.mean_absolute) / count;
  report.largest = std::max(report.largest, std::abs(difference));
}

}  // namespace

Json to_json(const ShadowReport& report) {
  return {{"compared", report.compared},
          {"unscored", report.unscored},
          {"skipped", report.skipped},
          {"failed", report.failed},
          {"other_calls", report.other_calls},
          {"mean_difference", report.mean_difference},
          {"mean_absolute_difference", report.mean_absolute},
          {"largest_difference", report.largest}};
}

Shadow::Shadow(std::unique_ptr<CurrentModel> model, std::size_t most_rows,
               OnDifference on_difference)
    : model_(std::move(model)),
      most_rows_(most_rows),
      on_difference_(std::move(on_difference)),
      thread_([this] { work(); }) {}

Shadow::~Shadow() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Shadow::offer(const std::string& served, const std::vector<data::Record>& records,
                   std::span<const stages::Answer> answers) {
  if (records.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_rows_ > 0 && waiting_rows_ + records.size() > most_rows_) {
      report_.skipped += static_cast<std::int64_t>(records.size());
      return;
    }
    waiting_rows_ += records.size();
    waiting_.push_back({served, records, {answers.begin(), answers.end()}});
  }
  changed_.notify_one();
}

ShadowReport Shadow::report() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

void Shadow::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    if (ending_) return;
    const Copy copy = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    compare(copy);
    lock.lock();
    waiting_rows_ -= copy.records.size();
  }
}

void Shadow::compare(const Copy& copy) {
  const auto model = model_->get();
  std::optional<std::vector<stages::Answer>> mine;
  try {
    mine = model->engine().answers(copy.records);
  } catch (const std::exception& e) {
    log_error(fmt::format("the shadow model failed: {}", e.what()));
  }
  const std::lock_guard lock(mutex_);
  const std::string versions = copy.served + model->identity().artifact.id;
  if (versions_ != versions) {
    versions_ = versions;
    report_ = {};
  }
  if (!mine) {
    report_.failed += static_cast<std::int64_t>(copy.records.size());
    return;
  }
  for (std::size_t i = 0; i < mine->size(); ++i) {
    const auto served = score_of(copy.answers[i]);
    const auto shadowed = score_of((*mine)[i]);
    if (served && shadowed) {
      add(report_, *shadowed - *served, copy.answers[i].call != (*mine)[i].call);
      if (on_difference_) on_difference_(*shadowed - *served);
    } else if (served || shadowed) {
      ++report_.unscored;
    }
  }
}

}  // namespace tcrops::serve
