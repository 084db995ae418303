#pragma once

#include "query_log.hpp"
#include "query_rows.hpp"

#include <tcrops/core/file.hpp>
#include <tcrops/core/sha256.hpp>

#include <filesystem>
#include <memory>
#include <scratch_folder.hpp>
#include <string>

namespace tcrops::serve::test {

using tcrops::test::ScratchFolder;

inline constexpr std::chrono::milliseconds kLong{20'000};
inline constexpr double kNoon = 1'800'014'400.0;  // 2027-01-15T12:00:00Z

inline QueryLogOptions options_of(const std::filesystem::path& file, bool inputs = false) {
  QueryLogOptions options;
  options.file = file;
  options.inputs = inputs;
  options.keep_days = 0.0;
  options.gather = std::chrono::milliseconds(1);
  return options;
}

// Two rows, one of them without a score.
inline QueryEntry entry(const std::string& id, double time = kNoon,
                        const std::string& body = "CDR3_beta\nCASSIRSSYEQYF\n") {
  QueryEntry entry;
  entry.id = id;
  entry.time = time;
  entry.route = "/v1/predict";
  entry.status = 200;
  // GCC 12 warns of the letter alone.
  entry.model = std::make_shared<const LoggedModel>(
      LoggedModel{"viral", std::string("3"), "a111", "d222", "viral@champion"});
  entry.rows = 2;
  entry.scored = 1;
  entry.rejected = 1;
  entry.unseen = 1;
  entry.seconds = 0.004;
  entry.scores[8] = 1;
  entry.outputs = with_row(with_row("", {2, 0.87, true, ""}), {3, {}, false, "CDR3_beta"});
  entry.input = std::make_shared<const LoggedInput>(
      LoggedInput{body, "text/csv; charset=utf-8", "plain", "GILGFVFTL", "HLA-A*02:01"});
  entry.describe_body(body, entry.input->content_type);
  return entry;
}

// The same entry of another model.
inline QueryEntry with_model(QueryEntry entry, const LoggedModel& model) {
  entry.model = std::make_shared<const LoggedModel>(model);
  return entry;
}

// All bytes of the log: its file and the one beside it.
inline std::string bytes_of_log(const std::filesystem::path& file) {
  std::string bytes = read_file(file);
  const std::filesystem::path beside = file.string() + "-wal";
  if (std::filesystem::exists(beside)) bytes += read_file(beside);
  return bytes;
}

inline bool has(const std::string& bytes, const std::string& part) {
  return bytes.find(part) != std::string::npos;
}

}  // namespace tcrops::serve::test
