#include "lineage_report.hpp"

#include "cmd_artifacts.hpp"
#include "queries_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace tcrops::cli {
namespace {

using store::LineageNode;

// A manifest may come from elsewhere: nothing in it must steer a terminal.
std::string plain(std::string text) {
  constexpr unsigned char kFirstPrintable = 0x20;
  constexpr char kDelete = 0x7f;
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < kFirstPrintable || c == kDelete; }, '?');
  return text;
}

// A text at a key of an object; null where there is none.
Json text_at(const Json& object, const std::string& key) {
  const Json found = object.is_object() ? object.value(key, Json()) : Json();
  return found.is_string() ? found : Json();
}

Json fact(const LineageNode& node, const std::string& key) {
  return node.manifest ? text_at(node.manifest->facts, key) : Json();
}

// Where a file or mirror was read from; it is not part of what the artifact is.
Json read_from(const LineageNode& node) {
  return node.run.is_object() ? text_at(node.run.value("notes", Json()), "origin") : Json();
}

bool is_raw(const LineageNode& node) {
  return node.manifest && node.manifest->kind == store::Kind::kRaw;
}

// "viral.model, viral@v3 champion"
std::string called(const LineageNode& node) {
  std::vector<std::string> names = node.names;
  for (const store::VersionName& version : node.versions) {
    std::string name = fmt::format("{}@v{}", version.model, version.number);
    for (const std::string& alias : version.aliases) name += " " + alias;
    names.push_back(std::move(name));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string headline(const LineageNode& node) {
  if (node.kind == kQueryKind) return plain("request " + node.id);
  std::string text = fmt::format("{} {}", shown_id(node.id), node.kind.empty() ? "?" : node.kind);
  if (node.manifest) {
    text += fmt::format(", {} v{}, seed {}", node.stage, node.manifest->stage_version,
                        node.manifest->seed);
  } else if (!node.stage.empty()) {
    text += ", " + node.stage;
  }
  if (const std::string names = called(node); !names.empty()) text += fmt::format(" ({})", names);
  if (!node.problem.empty()) text += fmt::format(" {}", node.problem);
  return plain(text);
}

std::vector<std::string> query_details(const Json& query) {
  return {fmt::format("{} at {}, status {}", query.at("route").get<std::string>(),
                      shown_time(query.at("time").get<double>()), query.at("status").dump()),
          fmt::format("{} rows, {} scored, by {} {}", query.at("rows").dump(),
                      query.at("scored").dump(), query.at("model").get<std::string>(),
                      query.at("version").get<std::string>()),
          fmt::format("sha256 of what was sent {}", query.at("digest").get<std::string>())};
}

// The lines under the headline.
std::vector<std::string> details(const LineageNode& node) {
  std::vector<std::string> lines;
  if (const Json time = text_at(node.run, "finished"), host = text_at(node.run, "host");
      time.is_string()) {
    lines.push_back(fmt::format("made {}{}", time.get<std::string>(),
                                host.is_string() ? " on " + host.get<std::string>() : ""));
  }
  if (node.kind == kQueryKind) lines = query_details(node.run.at(kQueryKind));
  if (!is_raw(node)) return lines;
  for (const auto& [label, value] : {std::pair{"origin", fact(node, "origin")},
                                     {"read from", read_from(node)},
                                     {"licence", fact(node, "licence")},
                                     {"citation", fact(node, "citation")}}) {
    if (value.is_string()) lines.push_back(fmt::format("{}: {}", label, value.get<std::string>()));
  }
  for (const auto& [name, file] : node.manifest->files.items()) {
    lines.push_back(fmt::format("{} {} bytes, sha256 {}", name, file.at("bytes").dump(),
                                file.at("sha256").get<std::string>()));
  }
  return lines;
}

class Tree {
 public:
  Tree(const store::Lineage& lineage, bool down) : lineage_(lineage), down_(down) {
    for (const LineageNode& node : lineage.nodes) nodes_[node.id] = &node;
    for (const store::LineageEdge& edge : lineage.edges) {
      next_[down ? edge.from : edge.to].emplace_back(edge.role, down ? edge.to : edge.from);
    }
  }

  std::string text() {
    add(lineage_.root, "", "", "");
    return std::move(text_);
  }

 private:
  // `first` stands before the headline, `rest` before all that is below it.
  void add(const std::string& id, const std::string& first, const std::string& rest,
           const std::string& role) {
    const std::string label =
        role.empty() ? "" : fmt::format("{}{}: ", down_ ? "as " : "", plain(role));
    if (!shown_.insert(id).second) {
      text_ += fmt::format("{}{}{} {}, as above\n", first, label, shown_id(id), nodes_[id]->kind);
      return;
    }
    const auto& below = next_[id];
    text_ += fmt::format("{}{}{}\n", first, label, headline(*nodes_[id]));
    for (const std::string& line : details(*nodes_[id])) {
      text_ += fmt::format("{}{}    {}\n", rest, below.empty() ? " " : "│", plain(line));
    }
    for (std::size_t i = 0; i < below.size(); ++i) {
      const bool last = i + 1 == below.size();
      add(below[i].second, rest + (last ? "└─ " : "├─ "), rest + (last ? "   " : "│  "),
          below[i].first);
    }
  }

  const store::Lineage& lineage_;
  bool down_;
  std::map<std::string, const LineageNode*> nodes_;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> next_;
  std::set<std::string> shown_;
  std::string text_;
};

// Inside the quotes of a dot string.
std::string dot_text(const std::string& text) {
  std::string escaped;
  for (const char c : plain(text)) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

Json node_json(const LineageNode& node) {
  Json versions = Json::array();
  for (const store::VersionName& version : node.versions) {
    versions.push_back(
        {{"model", version.model}, {"version", version.number}, {"aliases", version.aliases}});
  }
  Json files = Json::array();
  if (is_raw(node)) {
    for (const auto& [name, file] : node.manifest->files.items()) {
      files.push_back({{"name", name}, {"bytes", file.at("bytes")}, {"sha256", file.at("sha256")}});
    }
  }
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"id", node.id},
          {"kind", or_null(node.kind)},
          {"stage", or_null(node.stage)},
          {"stage_version", node.manifest ? Json(node.manifest->stage_version) : Json()},
          {"seed", node.manifest ? Json(node.manifest->seed) : Json()},
          {"names", node.names},
          {"versions", versions},
          {"made", text_at(node.run, "finished")},
          {"host", text_at(node.run, "host")},
          {"origin", fact(node, "origin")},
          {"read_from", read_from(node)},
          {"licence", fact(node, "licence")},
          {"citation", fact(node, "citation")},
          {"files", files},
          {"problem", or_null(node.problem)}};
}

}  // namespace

std::string lineage_tree(const store::Lineage& lineage, bool down) {
  return Tree(lineage, down).text();
}

std::string lineage_dot(const store::Lineage& lineage) {
  std::string text = "digraph lineage {\n  rankdir=LR;\n  node [shape=box, fontname=monospace];\n";
  for (const LineageNode& node : lineage.nodes) {
    // \l ends a line and sets it to the left.
    std::string label = dot_text(headline(node)) + "\\l";
    for (const std::string& line : details(node)) label += dot_text(line) + "\\l";
    text += fmt::format("  \"{}\" [label=\"{}\"{}];\n", dot_text(node.id), label,
                        node.problem.empty() ? "" : ", color=red");
  }
  for (const store::LineageEdge& edge : lineage.edges) {
    text += fmt::format("  \"{}\" -> \"{}\" [label=\"{}\"];\n", dot_text(edge.from),
                        dot_text(edge.to), dot_text(edge.role));
  }
  return text + "}\n";
}

Json lineage_json(const store::Lineage& lineage) {
  Json json = {{"schema", "tcrops.lineage/1"},
               {"root", lineage.root},
               {"nodes", Json::array()},
               {"edges", Json::array()}};
  for (const LineageNode& node : lineage.nodes) json["nodes"].push_back(node_json(node));
  for (const store::LineageEdge& edge : lineage.edges) {
    json["edges"].push_back({{"from", edge.from}, {"to", edge.to}, {"role", edge.role}});
  }
  return json;
}

}  // namespace tcrops::cli
