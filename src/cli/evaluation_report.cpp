#include "evaluation_report.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <array>
#include <vector>

namespace tcrops::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr std::size_t kShownEpitopes = 30;
constexpr std::size_t kEpitopeLetters = 16;

std::string number(const Json& value, int digits = 3) {
  return value.is_number() ? fmt::format("{:.{}f}", value.get<double>(), digits) : "-";
}

// A figure, null where it is missing, as in an evaluation of an older version.
Json figure(const Json& of, const std::string& name) { return of.value(name, Json()); }

std::string count(const Json& of, const std::string& name) {
  const Json value = figure(of, name);
  return value.is_number() ? value.dump() : "-";
}

// "0.708 [0.640, 0.771]"
std::string with_interval(const Json& of, const std::string& name) {
  std::string text = number(figure(of, name));
  const Json intervals = of.value("intervals", Json::object());
  if (intervals.contains(name)) {
    const Json& interval = intervals.at(name);
    text += fmt::format(" [{}, {}]", number(interval.at(0)), number(interval.at(1)));
  }
  return text;
}

struct Shown {
  const char* key;
  const char* name;
};
// The look-up first: what is no better has learned nothing.
constexpr std::array<Shown, 5> kBaselines = {{{"nearest_neighbour", "1-nearest-neighbour"},
                                              {"linear", "linear"},
                                              {"v_gene", "V genes only"},
                                              {"tcr_frequency", "TCR frequency"},
                                              {"always_no", "always no"}}};

std::string title(const Json& facts) {
  const bool fair = facts.value("fair", true);
  std::string text =
      fmt::format("{}. Test rows: {}, {} positive", fair ? "Test score" : "NOT A TEST SCORE",
                  facts.at("rows").dump(), facts.at("positives").dump());
  const Json bootstrap = facts.value("bootstrap", Json::object());
  if (const auto resamples = bootstrap.value("resamples", 0); resamples > 0) {
    text += fmt::format("; 95 % intervals from {} draws of TCRs", resamples);
  }
  return text + "\n";
}

std::string predictor_table(const Json& facts) {
  Rows rows;
  const auto add = [&](const std::string& name, const Json& m) {
    rows.push_back({name, with_interval(m, "macro_auroc"), with_interval(m, "macro_auroc01"),
                    with_interval(m, "macro_average_precision"),
                    number(figure(m, "macro_recall_at_1")), number(figure(m, "pooled_auroc")),
                    number(figure(m, "pooled_average_precision"))});
  };
  add("model", facts.at("model"));
  for (const Shown& baseline : kBaselines) {
    if (facts.at("baselines").contains(baseline.key)) {
      add(baseline.name, facts.at("baselines").at(baseline.key));
    }
  }
  return format_table(
      {"", "macro AUC", "macro AUC0.1", "macro AP", "R@1", "pooled AUC", "pooled AP"}, rows);
}

std::string calls_line(const Json& model) {
  return fmt::format(
      "pooled: accuracy {}, precision {}, recall {}, F1 {}, MCC {}, Brier {}, ECE {}; "
      "macro: rank {}\n",
      number(figure(model, "accuracy")), number(figure(model, "precision")),
      number(figure(model, "recall")), number(figure(model, "f1")),
      number(figure(model, "pooled_mcc")), number(figure(model, "pooled_brier")),
      number(figure(model, "pooled_ece")), number(figure(model, "macro_rank"), 2));
}

std::string epitope_name(const Json& epitope) {
  auto name = epitope.at("epitope").get<std::string>();
  if (name.size() > kEpitopeLetters) name = fmt::format("{}~", name.substr(0, kEpitopeLetters - 1));
  if (!epitope.at("seen").get<bool>()) name += '*';
  return name;
}

std::string epitope_table(const Json& epitopes) {
  if (epitopes.empty()) return "";
  Rows rows;
  bool unseen = false;
  for (const Json& each : epitopes) {
    if (rows.size() == kShownEpitopes) break;
    unseen = unseen || !each.at("seen").get<bool>();
    rows.push_back({epitope_name(each), each.at("rows").dump(), each.at("positives").dump(),
                    with_interval(each, "auroc"), with_interval(each, "auroc01"),
                    with_interval(each, "average_precision"), number(figure(each, "f1"), 2),
                    number(figure(each, "rank"), 1),
                    number(figure(each, "nearest_neighbour_auroc"))});
  }
  std::string text = fmt::format(
      "\n{}",
      format_table({"epitope", "n", "pos", "AUC", "AUC0.1", "AP", "F1", "rank", "1-NN AUC"}, rows));
  if (unseen) text += "* without a positive in training\n";
  if (epitopes.size() > rows.size()) {
    text += fmt::format("{} more in metrics.json\n", epitopes.size() - rows.size());
  }
  return text;
}

void add_slices(const Json& list, const std::string& what, Rows& rows) {
  for (const Json& slice : list) {
    rows.push_back({fmt::format("{} {}", what, slice.at("name").get<std::string>()),
                    slice.at("rows").dump(), slice.at("positives").dump(),
                    number(slice.at("macro_auroc")), number(slice.at("macro_average_precision")),
                    number(slice.at("nearest_neighbour").at("macro_auroc")),
                    slice.at("small").get<bool>() ? "few positives" : ""});
  }
}

std::string part_table(const Json& facts) {
  Rows rows;
  const Json kinds = facts.value("by_kind", Json::object());
  for (const auto& [kind, m] : kinds.items()) {
    rows.push_back({fmt::format("{} epitopes", kind), m.at("rows").dump(), m.at("positives").dump(),
                    with_interval(m, "auroc"), with_interval(m, "average_precision"),
                    number(figure(m, "nearest_neighbour_auroc")), ""});
  }
  const Json origins = facts.value("by_origin", Json::object());
  for (const auto& [origin, m] : origins.items()) {
    rows.push_back({fmt::format("against {} negatives", origin), count(m, "rows"),
                    count(m, "positives"), with_interval(m, "macro_auroc"),
                    with_interval(m, "macro_average_precision"), "", ""});
  }
  const Json slices = facts.value("slices", Json::object());
  for (const auto& [key, name] :
       {std::pair{"cdr3_length", "CDR3 letters"}, {"v_beta", "V beta"}, {"source", "source"}}) {
    if (slices.contains(key)) add_slices(slices.at(key), name, rows);
  }
  if (rows.empty()) return "";
  return fmt::format("\n{}", format_table({"part of the test rows", "n", "pos", "macro AUC",
                                           "macro AP", "1-NN AUC", ""},
                                          rows));
}

// The ranking metrics in which a model is worth no more than its nearest neighbours.
std::string where_look_up_wins(const Json& facts) {
  std::string names;
  for (const auto& [key, name] : {std::pair{"macro_auroc", "macro AUC"},
                                  {"macro_average_precision", "macro AP"},
                                  {"pooled_auroc", "pooled AUC"},
                                  {"pooled_average_precision", "pooled AP"}}) {
    const Json& model = facts.at("model").at(key);
    const Json& nearest = facts.at("baselines").at("nearest_neighbour").at(key);
    if (!model.is_number() || !nearest.is_number() || model > nearest) continue;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  }
  return names;
}

}  // namespace

std::string evaluation_text(const Json& facts) {
  std::string out = title(facts) + predictor_table(facts) + calls_line(facts.at("model")) +
                    epitope_table(facts.value("epitopes", Json::array())) + part_table(facts);
  if (const std::string lost = where_look_up_wins(facts); !lost.empty()) {
    out +=
        fmt::format("NOTE: looking up the nearest known binder is as good or better in {}\n", lost);
  }
  for (const Json& caveat : facts.at("caveats")) {
    out += fmt::format("WARNING: {}\n", caveat.get<std::string>());
  }
  return out;
}

}  // namespace tcrops::cli
