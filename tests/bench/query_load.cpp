// What noting requests costs: processor time of all threads for an entry of the query log, for
// metrics and for a request id, as a request of one row has them.
// Usage: query_load FOLDER [ENTRIES]
#include "api.hpp"
#include "clock.hpp"
#include "http.hpp"
#include "metrics.hpp"
#include "query_log.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <ctime>
#include <filesystem>
#include <sstream>
#include <string>
#include <thread>

namespace {

using namespace tcrops;
using namespace tcrops::serve;

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

// Of the whole process.
double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

// Of this thread.
double thread_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

constexpr const char* kBody =
    "CDR3_beta,TRBV,TRBJ,Epitope,MHC\nCASSIRSSYEQYF,TRBV19*01,TRBJ2-7*01,GILGFVFTL,HLA-A*02:01\n";

struct OneRow {
  Request request;
  stages::SmallTable table;
  std::vector<stages::Answer> answers;
  Metrics::Version version{"viral", "3", std::string(64, 'a'), 0.0};

  OneRow() : table(read()) {
    request.body = kBody;
    request.headers = {{"content-type", "text/csv"}, {"user-agent", "load"}};
    answers.resize(table.records().size());
    for (auto& answer : answers) {
      answer.score = 0.8712345;
      answer.call = true;
    }
  }

  static stages::SmallTable read() {
    std::istringstream bytes(kBody);
    stages::TableSource source;
    source.path = "input";
    return {
        bytes,
        source,
        {{},
         {},
         {stages::AnswerColumn::kScore, stages::AnswerColumn::kFlags, stages::AnswerColumn::kCall}},
        10};
  }

  [[nodiscard]] Asked asked() const {
    Asked asked;
    asked.request = &request;
    asked.route = "/v1/predict";
    asked.table = &table;
    asked.answers = answers;
    asked.seconds = 0.000'123;
    return asked;
  }
};

void note_entries(OneRow& row, const std::filesystem::path& folder, int entries) {
  QueryLogOptions options;
  options.file = folder / "query_load.sqlite";
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(options.file.string() + end);
  const double all = processor_seconds();
  const double own = thread_seconds();
  const double begin = now_seconds();
  QueryLog log(options);
  const auto model = std::make_shared<const LoggedModel>(LoggedModel{
      "viral", std::string("3"), std::string(64, 'a'), std::string(64, 'd'), "viral@champion"});
  for (int i = 0; i < entries; ++i) {
    // No faster than it is written: what is lost costs nothing.
    if (i % 1000 == 0) {
      while (log.counts().waiting > 50'000)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    row.request.id = request_id("");
    QueryEntry entry = entry_of(row.asked(), false);
    entry.model = model;
    log.note(std::move(entry));
  }
  const double spent = thread_seconds() - own;
  static_cast<void>(log.flush(std::chrono::minutes(1)));
  const double per = 1e6 / entries;
  const double wall = now_seconds() - begin;
  fmt::print(
      "query log   {:7.3f} us, {:.3f} of them in the request's thread; {} written, {} lost, "
      "{:.0f} a second\n",
      per * (processor_seconds() - all), per * spent, log.counts().written, log.counts().lost,
      entries / wall);
}

template <class Work>
void measure(const char* what, int times, const Work& work) {
  double best = 1e9;
  for (int round = 0; round < 5; ++round) {
    const double begin = thread_seconds();
    for (int i = 0; i < times; ++i) work();
    best = std::min(best, thread_seconds() - begin);
  }
  fmt::print("{:11} {:7.3f} us\n", what, 1e6 * best / times);
}

}  // namespace

int main(int count, char** words) {
  if (count < 2) {
    fmt::print(stderr, "usage: query_load FOLDER [ENTRIES]\n");
    return 2;
  }
  const int entries = count > 2 ? std::stoi(words[2]) : 200'000;
  OneRow row;
  std::size_t letters = 0;
  measure("request id", entries, [&] { letters += request_id("").size(); });
  Metrics metrics;
  const Served served{"/v1/predict", 200, 0.000'123};
  measure("metrics", entries, [&] {
    metrics.count_request(served);
    metrics.count_batch({});
    metrics.count_rows(row.version, row.table, row.answers);
  });
  for (int round = 0; round < 3; ++round) note_entries(row, words[1], entries);
  return letters > 0 ? 0 : 1;
}
