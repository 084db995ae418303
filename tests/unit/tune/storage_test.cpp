// A study in a database: what is handed out, what is kept, and what comes too late.
#include "studies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <catch_all.hpp>
#include <error_of.hpp>

namespace tcrops::tune {
namespace {

using tcrops::test::error_of;
using namespace test;
using Free = StudyStorage::Free;

TEST_CASE("trials are handed out in order, without a gap, to whoever asks") {
  everywhere([](const db::Address& place) {
    StudyStorage one = connect(place, options_of(5, 0));
    StudyStorage two = connect(place, options_of(5, 0));
    for (std::int64_t i = 0; i < 5; ++i) {
      const Claim got = claim(i % 2 == 0 ? one : two, fmt::format("t{}", i));
      CHECK(got.number == i);
      CHECK(got.attempt == 1);
      CHECK(got.point.size() == 3);
    }
    CHECK(refused(one) == Free::kLater);
    const auto records = records_at(place);
    REQUIRE(records.size() == 5);
    for (const TrialRecord& record : records) {
      CHECK(record.phase == Phase::kRunning);
      CHECK(record.worker == "host:1");
      CHECK(record.lease_until > record.started + 3500.0);
    }
  });
}

TEST_CASE("proposals come first, with their origin") {
  everywhere([](const db::Address& place) {
    StudyOptions options = options_of(3, 1);
    options.first = {{{{"x", 1.5}, {"n", std::int64_t{2}}, {"model", "large"}}, "elsewhere"}};
    StudyStorage storage = connect(place, options);
    const Claim first = claim(storage, "a");
    CHECK(first.point == options.first[0].point);
    CHECK(first.origin == "elsewhere");
    CHECK(storage.finish(first, kWorker, result(1.0)));
    CHECK(claim(storage, "b").origin.empty());
    CHECK(records_at(place)[0].trial.origin == "elsewhere");
  });
}

TEST_CASE("a window makes the next trial wait for those it must know") {
  everywhere([](const db::Address& place) {
    StudyStorage storage = connect(place, options_of(4, 2));
    const Claim zero = claim(storage, "0");
    const Claim one = claim(storage, "1");
    CHECK(refused(storage) == Free::kLater);
    CHECK(storage.finish(one, kWorker, result(1.0)));
    CHECK(refused(storage) == Free::kLater);  // 2 has to know 0
    CHECK(storage.finish(zero, kWorker, result(1.0)));
    const Claim two = claim(storage, "2");
    const Claim three = claim(storage, "3");
    CHECK(three.number == 3);
    CHECK(storage.finish(two, kWorker, result(1.0)));
    CHECK(refused(storage) == Free::kLater);  // 3 may still be lost
    CHECK(storage.finish(three, kWorker, result(1.0)));
    CHECK(refused(storage) == Free::kNone);
  });
}

TEST_CASE("what was known is the event at which a trial began") {
  everywhere([](const db::Address& place) {
    StudyOptions options = options_of(4, 0);
    options.sampler = SamplerKind::kTpe;
    StudyStorage storage = connect(place, options);
    const Claim zero = claim(storage, "0");
    const Claim one = claim(storage, "1");
    CHECK(storage.finish(zero, kWorker, result(1.0)));
    static_cast<void>(claim(storage, "2"));
    CHECK(storage.finish(one, kWorker, result(2.0)));
    const auto records = records_at(place);
    CHECK(records[1].seen < records[0].ended);
    CHECK(records[0].ended < records[2].seen);
    CHECK(records[2].seen < records[1].ended);
  });
}

TEST_CASE("the same token gives the same trial") {
  everywhere([](const db::Address& place) {
    StudyStorage storage = connect(place, options_of(5, 0));
    const Claim first = claim(storage, "a");
    static_cast<void>(claim(storage, "b"));
    StudyStorage again = connect(place, options_of(5, 0));
    for (StudyStorage* each : {&storage, &again}) {
      const Claim same = claim(*each, "a");
      CHECK(same.number == first.number);
      CHECK(same.point == first.point);
      CHECK(same.attempt == 1);
    }
    CHECK(attempts_at(place).size() == 2);
    CHECK(records_at(place).size() == 2);
  });
}

TEST_CASE("a lease that has run out is taken over, and what the first one has made comes late") {
  everywhere([](const db::Address& place) {
    StudyStorage storage = connect(place, options_of(2, 0));
    StudyStorage other = connect(place, options_of(2, 0));
    const Claim lost = claim(storage, "a", kExpired);
    const Claim taken = claim(other, "b", kTerms, kOther);
    CHECK(taken.number == 0);
    CHECK(taken.attempt == 2);
    CHECK(taken.point == lost.point);
    CHECK_FALSE(storage.renew(lost, 60.0, 3));
    CHECK_FALSE(storage.finish(lost, kWorker, result(5.0)));
    CHECK_FALSE(storage.finish(lost, kWorker, result(5.0)));
    CHECK(other.finish(taken, kOther, result(4.0)));
    CHECK_FALSE(storage.finish(lost, kWorker, result(5.0)));

    const auto late = late_results_at(place);
    REQUIRE(late.size() == 1);
    CHECK(late[0].number == 0);
    CHECK(late[0].worker == "host:1");
    CHECK(late[0].outcome.at("value") == 5.0);
    const auto attempts = attempts_at(place);
    REQUIRE(attempts.size() == 2);
    CHECK(attempts[0].how == "lost");
    CHECK(attempts[1].how == "finished");
    CHECK(attempts[1].job == "job 7");
    CHECK(attempts[1].ended.has_value());
    const auto records = records_at(place);
    REQUIRE(records.size() == 1);
    CHECK(records[0].phase == Phase::kEnded);
    CHECK(records[0].trial.value == 4.0);
    CHECK(records[0].worker == "host:2");
    CHECK(records[0].attempt == 2);
  });
}

TEST_CASE("a lease that has run out still counts while nobody has taken the trial over") {
  everywhere([](const db::Address& place) {
    StudyStorage storage = connect(place, options_of(1, 0));
    const Claim held = claim(storage, "a", kExpired);
    CHECK(storage.renew(held, 60.0, 3));
    CHECK(refused(storage) == Free::kLater);
    CHECK(records_at(place)[0].step == 3);
    CHECK(storage.renew(held, -1.0, 4));
    CHECK(storage.finish(held, kWorker, result(1.0)));
    CHECK(late_results_at(place).empty());
    CHECK_FALSE(storage.renew(held, 60.0, 5));
  });
}

TEST_CASE("finishing twice keeps the first result") {
  everywhere([](const db::Address& place) {
    StudyStorage storage = connect(place, options_of(2, 0));
    const Claim held = claim(storage, "a");
    CHECK(storage.finish(held, kWorker, result(1.0)));
    const std::int64_t ended = records_at(place)[0].ended;
    CHECK(storage.finish(held, kWorker, result(2.0)));
    const TrialRecord record = records_at(place)[0];
    CHECK(record.trial.value == 1.0);
    CHECK(record.trial.details == result(1.0).details);
    CHECK(record.trial.weights == 7);
    CHECK(record.ended == ended);
    CHECK(late_results_at(place).empty());
  });
}

TEST_CASE("what is given back goes to the next who asks, and counts only when charged") {
  everywhere([](const db::Address& place) {
    StudyStorage storage = connect(place, options_of(3, 0));
    const Claim first = claim(storage, "a");
    static_cast<void>(claim(storage, "b"));
    storage.release(first, false);
    storage.release(first, false);
    CHECK(records_at(place)[0].phase == Phase::kWaiting);
    CHECK(records_at(place)[0].attempt == 0);
    const Claim second = claim(storage, "c");
    CHECK(second.number == 0);
    CHECK(second.attempt == 1);
    CHECK(second.point == first.point);
    storage.release(first, true);  // of one who has it no more
    CHECK(records_at(place)[0].phase == Phase::kRunning);
    storage.release(second, true);
    const Claim third = claim(storage, "d");
    CHECK(third.number == 0);
    CHECK(third.attempt == 2);
    CHECK(storage.finish(third, kWorker, result(1.0)));
    storage.release(third, true);
    CHECK(records_at(place)[0].phase == Phase::kEnded);

    std::vector<std::string> how;
    for (const Attempt& each : attempts_at(place)) {
      if (each.number == 0) how.push_back(each.how);
    }
    std::sort(how.begin(), how.end());
    CHECK(how == std::vector<std::string>{"failed", "finished", "released"});
  });
}

TEST_CASE("a token that was lost and given back may have the trial again") {
  everywhere([](const db::Address& place) {
    StudyStorage storage = connect(place, options_of(1, 0));
    static_cast<void>(claim(storage, "a", kExpired));
    storage.release(claim(storage, "b"), false);
    const Claim again = claim(storage, "a");
    CHECK(again.number == 0);
    CHECK(storage.finish(again, kWorker, result(1.0)));
    CHECK(late_results_at(place).empty());
  });
}

TEST_CASE("a trial whose attempts are used up counts as failed") {
  everywhere([](const db::Address& place) {
    StudyStorage storage = connect(place, options_of(2, 1));
    for (std::int64_t i = 1; i <= 3; ++i) {
      const Claim dead = claim(storage, fresh_token(), kExpired);
      CHECK(dead.number == 0);
      CHECK(dead.attempt == i);
    }
    CHECK(refused(storage) == Free::kLater);  // it is given up in this call
    const Claim next = claim(storage, "b");
    CHECK(next.number == 1);
    const TrialRecord failed = records_at(place)[0];
    CHECK(failed.phase == Phase::kEnded);
    CHECK(failed.trial.state == TrialState::kFailed);
    CHECK_FALSE(failed.trial.acceptable);
    CHECK(failed.trial.reason.find("begun 3 times and never finished") != std::string::npos);
    CHECK(storage.ended() == 1);
    for (const Attempt& each : attempts_at(place)) CHECK((each.number == 1 || each.how == "lost"));
  });
}

TEST_CASE("the number of trials can be raised and not lowered") {
  everywhere([](const db::Address& place) {
    StudyStorage storage = connect(place, options_of(1, 0));
    CHECK(storage.finish(claim(storage, "a"), kWorker, result(1.0)));
    CHECK(refused(storage) == Free::kNone);
    StudyStorage longer = connect(place, options_of(3, 0));
    CHECK(longer.raise_trials(2) == 3);
    CHECK(claim(storage, "b").number == 1);  // it notices
    CHECK(storage.trials() == 3);
    CHECK(storage.raise_trials(4) == 4);
    CHECK(connect(place, options_of(2, 0)).trials() == 4);
  });
}

TEST_CASE("a study of the same id that is another is refused") {
  everywhere([](const db::Address& place) {
    StudyOptions options = options_of(2, 1);
    static_cast<void>(connect(place, options));
    options.seed = 12;
    const auto thrown = error_of([&] { static_cast<void>(connect(place, options)); });
    CHECK(thrown.code == ExitCode::kArtifact);
    CHECK(thrown.says("another definition"));
  });
}

TEST_CASE("tables of a newer program are refused") {
  everywhere([](const db::Address& place) {
    static_cast<void>(connect(place, options_of(2, 1)));
    db::Database database = db::Database::open(place);
    database.execute("update tcrops_schema set version = version + 1");
    for (const auto& thrown :
         {error_of([&] { static_cast<void>(connect(place, options_of(2, 1))); }),
          error_of([&] { static_cast<void>(list_studies(database)); })}) {
      CHECK(thrown.code == ExitCode::kArtifact);
      CHECK(thrown.says("use a newer tcrops"));
    }
  });
}

TEST_CASE("a study that is no longer there is missed") {
  everywhere([](const db::Address& place) {
    StudyStorage storage = connect(place, options_of(2, 1));
    storage.database().execute("delete from tcrops_study");
    CHECK(error_of([&] { storage.refresh(); }).code == ExitCode::kArtifact);
  });
}

TEST_CASE("studies are listed with what is done and what runs") {
  everywhere([](const db::Address& place) {
    db::Database database = db::Database::open(place);
    CHECK(list_studies(database).empty());
    StudyStorage storage = connect(place, options_of(5, 0));
    static_cast<void>(connect(place, options_of(7, 0), "other"));
    CHECK(storage.finish(claim(storage, "a"), kWorker, result(1.0)));
    static_cast<void>(claim(storage, "b"));
    const Claim waiting = claim(storage, "c");
    const Claim dead = claim(storage, "d");
    storage.release(waiting, false);
    CHECK(storage.renew(dead, -1.0, 0));

    auto studies = list_studies(database);
    REQUIRE(studies.size() == 2);
    if (studies[0].id != kStudy) std::swap(studies[0], studies[1]);
    CHECK(studies[0].name == "a study");
    CHECK(studies[0].definition == Json({{"seed", 11}}));
    CHECK(studies[0].trials == 5);
    CHECK(studies[0].finished == 1);
    CHECK(studies[0].running == 1);
    CHECK(studies[1].id == "other");
    CHECK(studies[1].trials == 7);
    CHECK(studies[1].finished == 0);
  });
}

TEST_CASE("two studies in one database do not meet") {
  everywhere([](const db::Address& place) {
    StudyStorage one = connect(place, options_of(2, 0));
    StudyStorage two = connect(place, options_of(2, 0), "other");
    CHECK(claim(one, "a").number == 0);
    CHECK(claim(two, "a").number == 0);
    CHECK(one.finish(claim(one, "b"), kWorker, result(1.0)));
    two.refresh();
    CHECK(two.ended() == 0);
    CHECK(two.records().size() == 1);
  });
}

}  // namespace
}  // namespace tcrops::tune
