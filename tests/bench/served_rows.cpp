// What a served row costs between the body of POST /v1/predict and the text of its answer, without
// HTTP, log and metrics: processor time of one thread, the least of several turns.
//
// usage: served_rows STORE MODEL TABLE.csv
//
// Posts the table's rows, without its Label, as JSON: 1,000 at a time and one at a time. Prints one
// line for each: reading the body into a table, answering its records, writing the answer, all.

#include "request_rows.hpp"
#include "served_model.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/data/csv.hpp>
#include <tcrops/store/store.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace {

using tcrops::Json;
namespace serve = tcrops::serve;

constexpr std::size_t kBodies = 64;
constexpr std::size_t kMostRows = 10'000;

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::vector<Json> rows_of(const std::string& path) {
  std::ifstream in(path);
  tcrops::data::CsvReader reader(in, path);
  std::vector<std::string> header;
  std::vector<std::string> fields;
  reader.next(header);
  std::vector<Json> rows;
  while (reader.next(fields)) {
    Json row;
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (header[i] != "Label") row[header[i]] = fields.at(i);
    }
    rows.push_back(std::move(row));
  }
  if (rows.empty()) throw tcrops::Error(tcrops::ExitCode::kInputData, path + ": no rows");
  return rows;
}

std::vector<std::string> bodies_of(const std::vector<Json>& rows, std::size_t rows_each) {
  std::vector<std::string> bodies;
  for (std::size_t body = 0; body < kBodies; ++body) {
    Json part = Json::array();
    for (std::size_t i = 0; i < rows_each; ++i)
      part.push_back(rows[(body * 331 + i) % rows.size()]);
    bodies.push_back(Json{{"rows", std::move(part)}}.dump());
  }
  return bodies;
}

struct Served {
  serve::ServedModel& model;
  tcrops::stages::LoadedModel& scorer;
};

// Seconds per body: read, answer, write.
using Spent = std::array<double, 3>;

Spent turn(const Served& served, const std::vector<std::string>& bodies, std::size_t& bytes) {
  Spent spent{};
  tcrops::stages::TableSource source;
  source.path = "body";
  for (const std::string& body : bodies) {
    const double begin = processor_seconds();
    const auto table =
        serve::table_of(body, "application/json", source, served.model.needs(), kMostRows);
    const double read = processor_seconds();
    const auto answers = served.scorer.of(table.records());
    const double answered = processor_seconds();
    bytes += served.model.answer_json().text("0123456789abcdef", false, table, answers).size();
    const double end = processor_seconds();
    spent[0] += read - begin;
    spent[1] += answered - read;
    spent[2] += end - answered;
  }
  for (double& each : spent) each /= static_cast<double>(bodies.size());
  return spent;
}

void measure(const Served& served, const std::vector<std::string>& bodies, std::size_t rows,
             std::size_t turns) {
  Spent least{1e9, 1e9, 1e9};
  double least_sum = 1e9;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < turns; ++i) {
    const Spent spent = turn(served, bodies, bytes);
    for (std::size_t part = 0; part < spent.size(); ++part)
      least[part] = std::min(least[part], spent[part]);
    least_sum = std::min(least_sum, spent[0] + spent[1] + spent[2]);
  }
  fmt::print("{:>5} rows: read {:8.2f}  answer {:8.2f}  write {:8.2f}  all {:8.2f} us; {} bytes\n",
             rows, 1e6 * least[0], 1e6 * least[1], 1e6 * least[2], 1e6 * least_sum,
             bytes / (turns * bodies.size()));
}

int run(const std::string& store_folder, const std::string& model, const std::string& table) {
  const auto store = tcrops::store::Store::open(store_folder);
  serve::ServedModel served(store, serve::identify(store, model), 1, "cpu", {}, {});
  tcrops::stages::LoadedModel scorer(store, store.get(model), "cpu");
  const std::vector<Json> rows = rows_of(table);
  measure({served, scorer}, bodies_of(rows, 1000), 1000, 20);
  measure({served, scorer}, bodies_of(rows, 1), 1, 1000);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("What a served row costs, without HTTP");
  std::string store;
  std::string model;
  std::string table;
  app.add_option("store", store)->required();
  app.add_option("model", model, "a name in the store")->required();
  app.add_option("table", table, "CSV of the benchmark's columns")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    return run(store, model, table);
  } catch (const tcrops::Error& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
}
