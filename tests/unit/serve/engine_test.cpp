#include "engine.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <future>
#include <pthread.h>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

using tcrops::data::Column;
using tcrops::data::Record;
using tcrops::serve::Engine;
using tcrops::serve::EngineLimits;
using tcrops::stages::Answer;
using namespace std::chrono_literals;

namespace {

Record record_of(const std::string& text) {
  Record record;
  record[Column::kCdr3Beta] = text;
  return record;
}

std::vector<Record> records_of(const std::string& name, std::size_t count) {
  std::vector<Record> records;
  for (std::size_t i = 0; i < count; ++i)
    records.push_back(record_of(name + ":" + std::to_string(i)));
  return records;
}

// Says each record back; fails for one called "bad".
std::vector<Answer> echo(std::span<const Record> records) {
  std::vector<Answer> answers;
  for (const Record& record : records) {
    const std::string& text = record[Column::kCdr3Beta];
    if (text.starts_with("bad")) throw std::runtime_error("no answer for " + text);
    answers.emplace_back().problem = text;
  }
  return answers;
}

bool is_echo(const std::vector<Answer>& answers, const std::string& name, std::size_t count) {
  if (answers.size() != count) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (answers[i].problem != name + ":" + std::to_string(i)) return false;
  }
  return true;
}

// A scorer that waits until it may go on.
class Gate {
 public:
  std::vector<Answer> score(std::span<const Record> records) {
    std::unique_lock lock(mutex_);
    ++entered_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    return echo(records);
  }
  void wait_for(int entered) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return entered_ >= entered; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int entered_ = 0;
  bool open_ = false;
};

std::future<std::optional<std::vector<Answer>>> ask(Engine& engine, const std::string& name,
                                                    std::size_t count) {
  return std::async(std::launch::async,
                    [&engine, name, count] { return engine.answers(records_of(name, count)); });
}

void wait_until_queued(const Engine& engine, std::size_t rows) {
  while (engine.queued_rows() != rows) std::this_thread::sleep_for(1ms);
}

}  // namespace

TEST_CASE("many requests at once get their own answers in order") {
  std::mutex mutex;
  std::vector<Engine::Batch> batches;
  Engine engine({echo, echo, echo}, {.batch_rows = 16, .queue_rows = 100'000},
                [&](const Engine::Batch& batch) {
                  const std::lock_guard lock(mutex);
                  batches.push_back(batch);
                });
  std::vector<std::future<bool>> all;
  for (int client = 0; client < 8; ++client) {
    all.push_back(std::async(std::launch::async, [&engine, client] {
      for (std::size_t count : {1UL, 15UL, 16UL, 17UL, 100UL}) {
        const std::string name = std::to_string(client) + "/" + std::to_string(count);
        const auto answers = engine.answers(records_of(name, count));
        if (!answers || !is_echo(*answers, name, count)) return false;
      }
      return true;
    }));
  }
  for (auto& each : all) CHECK(each.get());
  std::size_t rows = 0;
  for (const auto& batch : batches) {
    CHECK(batch.rows <= 16);
    rows += batch.rows;
  }
  CHECK(rows == 8 * 149);
  CHECK(engine.queued_rows() == 0);
  CHECK(engine.answers({})->empty());
}

TEST_CASE("what waits is scored together, and a large request lets small ones by") {
  Gate gate;
  std::mutex mutex;
  std::vector<Engine::Batch> batches;
  Engine engine({[&](auto records) { return gate.score(records); }},
                {.batch_rows = 10, .queue_rows = 1000}, [&](const Engine::Batch& batch) {
                  const std::lock_guard lock(mutex);
                  batches.push_back(batch);
                });
  auto first = ask(engine, "first", 1);
  gate.wait_for(1);
  auto large = ask(engine, "large", 25);
  wait_until_queued(engine, 25);
  auto small = ask(engine, "small", 3);
  wait_until_queued(engine, 28);
  gate.open();
  CHECK(is_echo(*first.get(), "first", 1));
  CHECK(is_echo(*small.get(), "small", 3));
  CHECK(is_echo(*large.get(), "large", 25));
  REQUIRE(batches.size() == 4);
  CHECK(batches[1].rows == 10);
  CHECK(batches[1].requests == 1);  // large
  CHECK(batches[2].rows == 10);
  CHECK(batches[2].requests == 2);  // small, then large again
  CHECK(batches[3].rows == 8);
}

TEST_CASE("whoever waits scores what waits, and a lone request stays on its thread") {
  std::set<pthread_t> threads;
  Engine engine({[&](auto records) {
                  threads.insert(::pthread_self());
                  return echo(records);
                }},
                {.batch_rows = 4});
  for (int i = 0; i < 3; ++i) CHECK(is_echo(*engine.answers(records_of("one", 9)), "one", 9));
  CHECK(threads == std::set<pthread_t>{::pthread_self()});
}

TEST_CASE("a full queue says so") {
  Gate gate;
  Engine engine({[&](auto records) { return gate.score(records); }},
                {.batch_rows = 5, .queue_rows = 10});
  auto running = ask(engine, "running", 5);
  gate.wait_for(1);
  auto waiting = ask(engine, "waiting", 50);  // alone in the queue: fits whatever its size
  wait_until_queued(engine, 50);
  CHECK_FALSE(engine.answers(records_of("late", 1)).has_value());
  gate.open();
  CHECK(is_echo(*running.get(), "running", 5));
  CHECK(is_echo(*waiting.get(), "waiting", 50));
  CHECK(engine.answers(records_of("later", 1)).has_value());
}

TEST_CASE("a request whose rows break the model fails alone") {
  Gate gate;
  bool gated = true;
  Engine engine({[&](auto records) {
                  return std::exchange(gated, false) ? gate.score(records) : echo(records);
                }},
                {.batch_rows = 100, .queue_rows = 100});
  auto first = ask(engine, "first", 1);
  gate.wait_for(1);
  auto good = ask(engine, "good", 2);
  wait_until_queued(engine, 2);
  auto bad = ask(engine, "bad", 2);
  wait_until_queued(engine, 4);
  gate.open();
  CHECK(is_echo(*first.get(), "first", 1));
  CHECK(is_echo(*good.get(), "good", 2));
  CHECK_THROWS_WITH(bad.get(), "no answer for bad:0");
  CHECK(is_echo(*engine.answers(records_of("after", 1)), "after", 1));
}

TEST_CASE("a scorer that leaves rows out is an error, not a wrong answer") {
  Engine engine({[](auto) { return std::vector<Answer>(); }}, {});
  CHECK_THROWS_WITH(static_cast<void>(engine.answers(records_of("x", 1))),
                    Catch::Contains("another number of answers"));
}

TEST_CASE("several requests at once have one outcome each") {
  std::vector<Engine::Batch> batches;
  Engine engine({echo}, {.batch_rows = 100, .queue_rows = 10},
                [&](const Engine::Batch& batch) { batches.push_back(batch); });
  const auto one = records_of("one", 3);
  const auto two = records_of("two", 4);
  const auto large = records_of("large", 20);
  const auto bad = records_of("bad", 2);
  const std::vector<std::span<const Record>> requests = {one, {}, two, large, bad};
  const auto outcomes = engine.outcomes(requests);
  REQUIRE(outcomes.size() == 5);
  CHECK(is_echo(*outcomes[0].answers, "one", 3));
  CHECK(outcomes[1].answers->empty());
  CHECK(is_echo(*outcomes[2].answers, "two", 4));
  CHECK_FALSE(outcomes[3].answers.has_value());  // it does not fit beside the others
  CHECK_FALSE(outcomes[3].fault);
  CHECK(outcomes[4].fault);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].rows == 9);
  CHECK(batches[0].requests == 3);
  CHECK(engine.queued_rows() == 0);
}
