#include <tcrops/core/rng.hpp>
#include <tcrops/data/external_sort.hpp>

#include <algorithm>
#include <catch_all.hpp>
#include <error_of.hpp>
#include <scratch_folder.hpp>
#include <utility>
#include <vector>

namespace tcrops::data {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

// Few different keys, so that many are equal; any bytes; values say when they went in.
Entries random_entries(std::size_t count, std::size_t longest_key) {
  Rng rng(7, "external sort", longest_key);
  Entries entries;
  for (std::size_t i = 0; i < count; ++i) {
    std::string key(rng.below(longest_key + 1), '\0');
    for (char& c : key) c = static_cast<char>(rng.below(4) * 85U);  // 0x00, 0x55, 0xAA, 0xFF
    entries.emplace_back(key, std::to_string(i) + std::string(rng.below(40), '\n'));
  }
  return entries;
}

Entries sorted_by(ExternalSort sort, const Entries& entries) {
  for (const auto& [key, value] : entries) sort.add(key, value);
  Entries out;
  while (auto entry = sort.next()) out.emplace_back(entry->key, entry->value);
  CHECK(!sort.next());
  return out;
}

Entries sorted_in_memory(Entries entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::lexicographical_compare(
        a.first.begin(), a.first.end(), b.first.begin(), b.first.end(), [](char x, char y) {
          return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
        });
  });
  return entries;
}

}  // namespace

TEST_CASE("sorting on disk gives what a stable sort in memory gives") {
  const test::ScratchFolder folder;
  for (const std::size_t longest_key : {0, 1, 5, 60}) {
    const Entries entries = random_entries(3000, longest_key);
    const Entries expected = sorted_in_memory(entries);
    // 1: a run for each entry; 200 and 9000: many runs; the last: none.
    for (const std::size_t memory : {1, 200, 9000, 1 << 24}) {
      CAPTURE(longest_key, memory);
      if (memory == 1 && longest_key != 5) continue;
      const Entries few(entries.begin(), entries.begin() + (memory == 1 ? 300 : 3000));
      CHECK(sorted_by(ExternalSort(folder.path(), memory), few) == sorted_in_memory(few));
    }
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("nothing sorts to nothing, and one entry to itself") {
  CHECK(sorted_by(ExternalSort({}, 1), {}).empty());
  CHECK(sorted_by(ExternalSort({}), {{"", ""}}) == Entries{{"", ""}});
}

TEST_CASE("an external sort can be moved, and refuses entries after reading began") {
  ExternalSort first({}, 1);
  first.add("b", "1");
  first.add("a", "2");
  ExternalSort second = std::move(first);
  second.add("a", "3");
  CHECK(second.next()->value == "2");
  CHECK(test::error_of([&] { second.add("c", "4"); }).code == ExitCode::kFailure);
  CHECK(second.next()->value == "3");
}

TEST_CASE("a folder that is not there ends the sort with its name") {
  ExternalSort sort("/nonexistent/folder", 1);
  const auto thrown = test::error_of([&] { sort.add("key", "value"); });
  CHECK(thrown.code != ExitCode::kOk);
  CHECK(thrown.says("/nonexistent/folder"));
}

TEST_CASE("numbers as bytes sort like numbers and come back") {
  Rng rng(3, "sortable");
  std::uint64_t before = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t number = rng.next64() >> rng.below(64);
    CHECK(unsortable(sortable(number)) == number);
    CHECK((sortable(before) < sortable(number)) == (before < number));
    before = number;
  }
  CHECK(sortable(0x0102030405060708U) == "\x01\x02\x03\x04\x05\x06\x07\x08");
}

}  // namespace tcrops::data
