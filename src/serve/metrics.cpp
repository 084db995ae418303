#include "metrics.hpp"

#include "clock.hpp"

#include <tcrops/core/text.hpp>
#include <tcrops/data/record.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <utility>
#include <vector>

namespace tcrops::serve {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using Boundaries = prometheus::Histogram::BucketBoundaries;

const Boundaries kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                             0.1,    0.25,  0.5,    1.0,   2.5,  5.0,   10.0};
const Boundaries kScores = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0};
const Boundaries kDifferences = {-0.5,  -0.2, -0.1, -0.05, -0.01, -0.001, 0.0,
                                 0.001, 0.01, 0.05, 0.1,   0.2,   0.5};
const Boundaries kBatchRows = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

void add_to(prometheus::Counter& counter, std::size_t by) {
  if (by > 0) counter.Increment(static_cast<double>(by));
}

// Scores of one request, told to a histogram at once: each time costs a lock.
class ManyScores {
 public:
  void add(double score) {
    // The last bucket has what is beyond all boundaries.
    const auto bucket = std::lower_bound(kScores.begin(), kScores.end(), score) - kScores.begin();
    counts_[static_cast<std::size_t>(bucket)] += 1.0;
    sum_ += score;
    ++count_;
    last_ = score;
  }
  void observe(prometheus::Histogram& scores) const {
    if (count_ == 1) {
      scores.Observe(last_);
    } else if (count_ > 1) {
      scores.ObserveMultiple(counts_, sum_);
    }
  }

 private:
  std::vector<double> counts_ = std::vector<double>(kScores.size() + 1, 0.0);
  double sum_ = 0.0;
  double last_ = 0.0;
  std::size_t count_ = 0;
};

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double size = 0.0;
  double resident = 0.0;
  file >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double open_descriptors() {
  std::error_code ignored;
  double count = 0.0;
  for (auto at = std::filesystem::directory_iterator("/proc/self/fd", ignored);
       at != std::filesystem::directory_iterator(); at.increment(ignored)) {
    ++count;
  }
  return count;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

std::string reason_of(const std::string& problem) {
  const std::string name = problem.substr(0, problem.find(':'));
  return data::column_named(name) ? name : "row";
}

struct Metrics::Families {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      BuildCounter().Name("tcrops_requests_total").Help("Requests answered.").Register(registry);
  prometheus::Family<prometheus::Histogram>& durations =
      BuildHistogram()
          .Name("tcrops_request_duration_seconds")
          .Help("From the end of a request's header to its answer.")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& sequences =
      BuildCounter()
          .Name("tcrops_sequences_total")
          .Help("Rows answered, by whether they have a score.")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& rejected =
      BuildCounter()
          .Name("tcrops_rejected_sequences_total")
          .Help("Rows without a score, by the column that is at fault.")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& info = BuildGauge()
                                                    .Name("tcrops_model_info")
                                                    .Help("The model that answers: always 1.")
                                                    .Register(registry);
  prometheus::Family<prometheus::Counter>& swaps =
      BuildCounter()
          .Name("tcrops_model_swaps_total")
          .Help("Changes to another model while serving, by how they went.")
          .Register(registry);
  prometheus::Histogram& inference = BuildHistogram()
                                         .Name("tcrops_inference_duration_seconds")
                                         .Help("Scoring one batch.")
                                         .Register(registry)
                                         .Add({}, kSeconds);
  prometheus::Histogram& batches = BuildHistogram()
                                       .Name("tcrops_batch_rows")
                                       .Help("Rows scored together.")
                                       .Register(registry)
                                       .Add({}, kBatchRows);
  prometheus::Histogram& scores = BuildHistogram()
                                      .Name("tcrops_score")
                                      .Help("Scores given.")
                                      .Register(registry)
                                      .Add({}, kScores);
  prometheus::Histogram& shadow =
      BuildHistogram()
          .Name("tcrops_shadow_score_difference")
          .Help("The shadow model's score of a row less the served model's.")
          .Register(registry)
          .Add({}, kDifferences);
  prometheus::Counter& unseen = BuildCounter()
                                    .Name("tcrops_unseen_epitope_total")
                                    .Help("Rows of an epitope without a binder in training.")
                                    .Register(registry)
                                    .Add({});
  prometheus::Counter& far = BuildCounter()
                                 .Name("tcrops_far_from_training_total")
                                 .Help("Rows whose TCR is far from all of training.")
                                 .Register(registry)
                                 .Add({});
  prometheus::Gauge& queue = gauge("tcrops_queue_depth", "Rows that wait to be scored.");
  prometheus::Gauge& connections = gauge("tcrops_connections", "Clients connected.");
  prometheus::Gauge& age =
      gauge("tcrops_model_age_seconds", "Since the model that answers was made.");
  prometheus::Gauge& start =
      gauge("process_start_time_seconds", "When the process began, since 1970.");
  prometheus::Gauge& resident = gauge("process_resident_memory_bytes", "Memory in use.");
  prometheus::Gauge& descriptors = gauge("process_open_fds", "Open file descriptors.");
  prometheus::Counter& cpu = BuildCounter()
                                 .Name("process_cpu_seconds_total")
                                 .Help("Processor time used.")
                                 .Register(registry)
                                 .Add({});
  prometheus::Family<prometheus::Counter>& log_entries =
      BuildCounter()
          .Name("tcrops_query_log_entries_total")
          .Help("Entries of the query log, by whether they were written.")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& log_waiting =
      BuildGauge()
          .Name("tcrops_query_log_waiting")
          .Help("Entries that wait to be written to the query log.")
          .Register(registry);

  // Counters that requests raise, found by what they are of and not by labels.
  struct OfRoute {
    prometheus::Histogram* durations = nullptr;
    std::vector<std::pair<int, prometheus::Counter*>> by_status{};
  };
  struct RowCounts {
    prometheus::Counter& scored;
    prometheus::Counter& rejected;
  };
  struct OfVersion {
    std::string model;
    std::string version;
    RowCounts rows;
  };
  std::mutex known_mutex;  // of the two
  std::map<std::string, OfRoute, std::less<>> routes{};
  std::vector<OfVersion> versions{};

  std::mutex mutex;  // of what follows, and of `cpu`
  prometheus::Gauge* model = nullptr;
  double made_seconds = 0.0;

  prometheus::Gauge& gauge(const char* name, const char* help) {
    return BuildGauge().Name(name).Help(help).Register(registry).Add({});
  }

  struct OfRequest {
    prometheus::Counter& count;
    prometheus::Histogram& durations;
  };
  OfRequest of_request(const Served& served) {
    const std::lock_guard lock(known_mutex);
    auto at = routes.find(served.route);
    if (at == routes.end()) at = routes.emplace(served.route, OfRoute()).first;
    OfRoute& route = at->second;
    const std::string& name = at->first;
    if (route.durations == nullptr) route.durations = &durations.Add({{"route", name}}, kSeconds);
    for (const auto& [status, count] : route.by_status) {
      if (status == served.status) return {*count, *route.durations};
    }
    auto& count = requests.Add({{"route", name}, {"code", std::to_string(served.status)}});
    route.by_status.emplace_back(served.status, &count);
    return {count, *route.durations};
  }

  RowCounts rows_of(const Version& labels) {
    const std::lock_guard lock(known_mutex);
    const auto known = std::find_if(versions.begin(), versions.end(), [&](const auto& each) {
      return each.version == labels.version && each.model == labels.model;
    });
    if (known != versions.end()) return known->rows;
    const auto rows = [&](const char* outcome) -> prometheus::Counter& {
      return sequences.Add(
          {{"model", labels.model}, {"version", labels.version}, {"outcome", outcome}});
    };
    const RowCounts fresh{rows("scored"), rows("rejected")};
    versions.push_back({labels.model, labels.version, fresh});
    return fresh;
  }
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {
  families_->start.Set(now_seconds());
}
Metrics::~Metrics() = default;

void Metrics::count_request(const Served& served) {
  const auto [count, durations] = families_->of_request(served);
  count.Increment();
  durations.Observe(served.seconds);
}

void Metrics::count_batch(const Engine::Batch& batch) {
  families_->inference.Observe(batch.seconds);
  families_->batches.Observe(static_cast<double>(batch.rows));
}

void Metrics::count_rows(const Version& version, const stages::SmallTable& table,
                         std::span<const stages::Answer> answers) {
  std::size_t scored = 0;
  std::size_t unseen = 0;
  std::size_t far = 0;
  std::map<std::string, std::size_t> rejected;
  ManyScores scores;
  for (const auto& row : table.rows()) {
    const stages::Answer* answer = row.record ? &answers[*row.record] : nullptr;
    if (answer == nullptr || !answer->problem.empty()) {
      ++rejected[reason_of(answer == nullptr ? row.problem : answer->problem)];
      continue;
    }
    ++scored;
    scores.add(answer->score);
    if (answer->unseen_epitope) ++unseen;
    if (answer->far_from_training) ++far;
  }
  scores.observe(families_->scores);
  add_to(families_->unseen, unseen);
  add_to(families_->far, far);
  const auto counts = families_->rows_of(version);
  add_to(counts.scored, scored);
  add_to(counts.rejected, table.rows().size() - scored);
  for (const auto& [reason, rows] : rejected)
    add_to(families_->rejected.Add({{"reason", reason}}), rows);
}

void Metrics::count_swap(bool succeeded) {
  families_->swaps.Add({{"outcome", succeeded ? "done" : "failed"}}).Increment();
}

void Metrics::count_shadow_difference(double difference) { families_->shadow.Observe(difference); }

void Metrics::set_query_log(const QueryLog::Counts& counts) {
  const std::lock_guard lock(families_->mutex);
  const auto raise = [&](const char* outcome, std::uint64_t to) {
    auto& counter = families_->log_entries.Add({{"outcome", outcome}});
    counter.Increment(static_cast<double>(to) - counter.Value());
  };
  raise("written", counts.written);
  raise("lost", counts.lost);
  families_->log_waiting.Add({}).Set(static_cast<double>(counts.waiting));
}

void Metrics::set_model(const Version& version) {
  const std::lock_guard lock(families_->mutex);
  if (families_->model != nullptr) families_->info.Remove(families_->model);
  families_->model = &families_->info.Add(
      {{"model", version.model}, {"version", version.version}, {"sha256", version.sha256}});
  families_->model->Set(1.0);
  families_->made_seconds = version.made_seconds;
}

std::string Metrics::text(std::size_t queued_rows, std::size_t connections) {
  Families& all = *families_;
  const std::lock_guard lock(all.mutex);
  all.queue.Set(static_cast<double>(queued_rows));
  all.connections.Set(static_cast<double>(connections));
  all.age.Set(all.made_seconds > 0.0 ? now_seconds() - all.made_seconds : std::nan(""));
  all.resident.Set(resident_bytes());
  all.descriptors.Set(open_descriptors());
  all.cpu.Increment(cpu_seconds() - all.cpu.Value());
  return prometheus::TextSerializer().Serialize(all.registry.Collect());
}

}  // namespace tcrops::serve
