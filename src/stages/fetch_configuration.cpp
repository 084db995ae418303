#include "fetch_configuration.hpp"

#include <tcrops/data/reader.hpp>

#include <fmt/format.h>

namespace tcrops::stages {
namespace {

std::vector<std::string> format_choices() {
  std::vector<std::string> choices{std::string(data::kDetectFormat)};
  for (const data::FormatName& each : data::format_names()) choices.emplace_back(each.name);
  return choices;
}

// A table to test on that is not there, or that leaves a value of preprocess without a say.
Problems test_table_problems(const FieldTable& table, const PipelineConfig& config) {
  const FetchConfig& fetch = config.fetch;
  Problems problems;
  if ((fetch.test_source == "file") == fetch.test_file.empty()) {
    append(problems,
           table.joint_problem({"fetch.test_source", "fetch.test_file"},
                               fetch.test_file.empty()
                                   ? "test_source is \"file\" but no file is named; use --set "
                                     "fetch.test_file=PATH"
                                   : "a file to test on needs fetch.test_source \"file\""));
  }
  if (fetch.test_source == "none") return problems;
  if (fetch.test_source == fetch.source && fetch.source != "file") {
    append(problems, table.joint_problem({"fetch.test_source", "fetch.source"},
                                         "the same table cannot train and test; take another one "
                                         "of the two"));
  }
  if (config.preprocess.folds > 0) {
    append(problems, table.joint_problem({"preprocess.folds", "fetch.test_source"},
                                         "a table of its own tests, so no fold can; set folds to "
                                         "0, or leave out the table"));
  }
  if (config.preprocess.split == "given") {
    append(problems, table.joint_problem({"preprocess.split", "fetch.test_source"},
                                         "a table of its own tests, so no column Fold can say "
                                         "what does; take another split"));
  }
  return problems;
}

}  // namespace

void add_fetch(FieldTable& table, FetchConfig& c) {
  table.begin_section("fetch", "where the raw data come from");
  table.add("source", c.source,
            "data source: a made-up repertoire, the ePytope-TCR viral benchmark, a release of "
            "VDJdb, the training data of IMMREP22, or a file of yours",
            {.choices = {"synthetic", "viral", "vdjdb", "immrep22", "file"}});
  table.add("file", c.file,
            "table to read when source is \"file\", in any supported format, compressed or not; a "
            "path is relative to the current folder",
            {.shapes_result = false, .examples = {"pairs.csv"}});
  table.add("format", c.format, "format of the file; auto: seen from its column names",
            {.choices = format_choices()});
  table.add(
      "map", c.map,
      "which column of the file holds one of ours, as \"COLUMN=THEIRS\"; goes before what the "
      "format says",
      {.examples = {"CDR3_beta=cdr3_b_aa"}});
  table.add("epitope", c.epitope, "epitope of the file's rows that name none",
            {.examples = {"GILGFVFTL"}});
  table.add("mhc", c.mhc, "MHC allele of the file's rows that name none",
            {.examples = {"HLA-A*02:01"}});
  table.add("control_file", c.control_file,
            "TCRs that bind none of the epitopes, for preprocess.negatives \"background\"; any "
            "source, any format",
            {.shapes_result = false, .examples = {"controls.csv.gz"}});
  table.add(
      "measured_file", c.measured_file,
      "pairs found not to bind, for preprocess.negatives \"measured\"; any source, any format",
      {.shapes_result = false, .examples = {"measured.tsv"}});
  table.add(
      "test_source", c.test_source,
      "a table of its own to test on: its labelled rows are the test side and they alone; what "
      "is near them is left out of training. viral: the ePytope-TCR viral benchmark; file: "
      "test_file",
      {.choices = {"none", "viral", "file"}});
  table.add("test_file", c.test_file,
            "table to test on when test_source is \"file\", with labels of both kinds; any format",
            {.shapes_result = false, .examples = {"test.csv"}});
  table.add("release", c.release, "release of VDJdb to get, by its date",
            {.examples = {"2025-07-30"}});
  table.add(
      "sha256", c.sha256,
      "hash that the archive of VDJdb must have; empty: whatever comes, and the manifest says "
      "what it was",
      {.shapes_result = false});
  table.add(
      "mirror", c.mirror, "folder or URL to read the source's files from instead of their origin",
      {.shapes_result = false, .examples = {"/data/mirror", "https://mirror.example/tcrops"}});
  table.add("retries", c.retries, "further attempts after a failed download",
            {.minimum = 0, .maximum = 100, .shapes_result = false});
  table.add("stall_seconds", c.stall_seconds, "give up a connection that sends nothing for so long",
            {.minimum = 0.1, .maximum = 3600, .unit = "s", .shapes_result = false});
}

void add_synthetic(FieldTable& table, SyntheticConfig& c) {
  table.begin_section("synthetic", "the made-up repertoire of source \"synthetic\"");
  table.add("tcrs", c.tcrs, "number of TCRs; each makes one row per epitope",
            {.minimum = 20, .maximum = 100'000'000});
  table.add("epitopes", c.epitopes, "number of epitopes", {.minimum = 2, .maximum = 20});
  table.add("motif_strength", c.motif_strength, "share of binders that carry their epitope's motif",
            {.minimum = 0, .maximum = 1});
  table.add("noise", c.noise, "share of rows that get the wrong label",
            {.minimum = 0, .maximum = 1});
}

Problems fetch_problems(const FieldTable& table, const PipelineConfig& config) {
  Problems problems;
  if (config.fetch.source == "file" && config.fetch.file.empty()) {
    append(problems, table.joint_problem({"fetch.source", "fetch.file"},
                                         "source is \"file\" but no file is named; use --set "
                                         "fetch.file=PATH"));
  }
  append(problems, test_table_problems(table, config));
  return problems;
}

}  // namespace tcrops::stages
