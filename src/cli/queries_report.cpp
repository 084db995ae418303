#include "queries_report.hpp"

#include "cmd_artifacts.hpp"

#include <tcrops/core/host.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace tcrops::cli {
namespace {

constexpr std::size_t kShownRows = 20;

// What a client sent must not steer a terminal.
std::string harmless(std::string text) {
  constexpr unsigned char kFirstPrintable = 0x20;
  constexpr char kDelete = 0x7f;
  std::replace_if(
      text.begin(), text.end(),
      [](char c) {
        const bool is_control = static_cast<unsigned char>(c) < kFirstPrintable || c == kDelete;
        return is_control && c != '\n' && c != '\t';
      },
      '?');
  return text;
}

std::string model_of(const serve::LoggedQuery& query) {
  return fmt::format("{} {}", query.model, query.version);
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string rows_text(const std::vector<serve::LoggedRow>& rows) {
  std::vector<std::vector<std::string>> table;
  for (std::size_t i = 0; i < rows.size() && i < kShownRows; ++i) {
    const serve::LoggedRow& row = rows[i];
    table.push_back({std::to_string(row.line), row.score ? fmt::format("{:.4f}", *row.score) : "-",
                     row.score ? (row.call ? "binds" : "does not") : "-",
                     or_dash(row.problem_kind)});
  }
  std::string text = format_table({"line", "score", "call", "problem in"}, table);
  if (rows.size() > kShownRows)
    text += fmt::format("… and {} more; --json has them\n", rows.size() - kShownRows);
  return text;
}

}  // namespace

std::string shown_time(double seconds) {
  using std::chrono::system_clock;
  return utc_text(system_clock::time_point(
      std::chrono::duration_cast<system_clock::duration>(std::chrono::duration<double>(seconds))));
}

std::string queries_text(const serve::QueryPage& page) {
  if (page.queries.empty()) return "no requests\n";
  std::vector<std::vector<std::string>> rows;
  for (const serve::LoggedQuery& query : page.queries) {
    rows.push_back({std::to_string(query.number), shown_time(query.time), query.id, model_of(query),
                    std::to_string(query.status), std::to_string(query.rows),
                    std::to_string(query.scored), fmt::format("{:.1f}", 1000.0 * query.seconds),
                    query.digest.substr(0, 12), or_dash(query.error)});
  }
  std::string text = format_table(
      {"number", "time", "request", "model", "status", "rows", "scored", "ms", "sha256", "error"},
      rows);
  if (page.next) text += fmt::format("older ones: --before {}\n", *page.next);
  return text;
}

std::string query_text(const serve::QueryDetail& detail) {
  const serve::LoggedQuery& query = detail.query;
  std::string text = fmt::format(
      "request {} (number {})\n{} {} in {:.1f} ms, status {}{}\nmodel {}, artifact {}, data {}\n"
      "{} rows, {} scored, {} rejected, {} of unseen epitopes, {} far from training\n"
      "sha256 of what was sent: {}\n",
      query.id, query.number, shown_time(query.time), query.route, 1000.0 * query.seconds,
      query.status, query.error.empty() ? "" : fmt::format(" ({})", query.error), model_of(query),
      shown_id(query.artifact), or_dash(shown_id(query.data_version)), query.rows, query.scored,
      query.rejected, query.unseen, query.far, query.digest);
  if (!detail.outputs.empty()) text += "\n" + rows_text(detail.outputs);
  if (!detail.input) return text + "\nwhat was sent was not kept\n";
  text += fmt::format("\nsent as {}:\n{}", or_dash(harmless(detail.input->content_type)),
                      harmless(valid_utf8(detail.input->body)));
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

}  // namespace tcrops::cli
