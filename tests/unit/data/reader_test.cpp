#include "reading.hpp"

#include <tcrops/core/rng.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tcrops::data {
namespace {

constexpr char kTab = '\t';

struct Example {
  std::string format;
  char separator;
  std::string header;
  std::string row;
  std::string cdr3_alpha;
  std::string cdr3_beta;
};

// A header of every format that has one, with the columns that its tool writes, and a row. Columns
// are parted by blanks here; "_" stands for an empty value.
const std::vector<Example> kExamples = {
    {"vdjdb", kTab,
     "complex.id gene cdr3 v.segm j.segm species mhc.a mhc.b mhc.class antigen.epitope",
     "0 TRB CASSIRSSYEQYF TRBV19*01 TRBJ2-7*01 HomoSapiens HLA-A*02:01 B2M MHCI GILGFVFTL", "",
     "CASSIRSSYEQYF"},
    {"vdjdb_web", kTab, "complex.id Gene CDR3 V J Species Epitope Score",
     "0 TRA CAGAGSQGNLIF TRAV27*01 TRAJ42*01 HomoSapiens GILGFVFTL 0", "CAGAGSQGNLIF", ""},
    {"vdjdb_full", kTab,
     "cdr3.alpha v.alpha j.alpha cdr3.beta v.beta d.beta j.beta species mhc.a antigen.epitope",
     "CAGAGSQGNLIF TRAV27*01 TRAJ42*01 CASSIRSSYEQYF TRBV19*01 _ TRBJ2-7*01 HomoSapiens HLA-A*02 "
     "GILGFVFTL",
     "CAGAGSQGNLIF", "CASSIRSSYEQYF"},
    {"cdr3", ',', "cdr3 TRBV count", "CASSIRSSYEQYF TRBV19 3", "", "CASSIRSSYEQYF"},
    {"mcpas", ',', "CDR3.alpha.aa CDR3.beta.aa Species Epitope.peptide MHC TRAV TRAJ TRBV TRBJ",
     "NA CASSIRSSYEQYF Human GILGFVFTL HLA-A2 NA NA TRBV19 TRBJ2-7", "", "CASSIRSSYEQYF"},
    {"10x", ',', "barcode is_cell chain v_gene j_gene productive cdr3 reads umis",
     "A-1 true TRB TRBV19 TRBJ2-7 true CASSIRSSYEQYF 5 1", "", "CASSIRSSYEQYF"},
    {"airr", kTab, "sequence_id productive v_call j_call junction_aa cell_id",
     "s1 T TRBV19*01 TRBJ2-7*01 CASSIRSSYEQYF c1", "", "CASSIRSSYEQYF"},
    {"airr", kTab, "locus v_call j_call cdr3_aa", "TRA TRAV1-2*01 TRAJ33*01 AVMDSNYQLI",
     "CAVMDSNYQLIW", ""},
    {"immrep23", ',', "ID Peptide HLA Va Ja CDR3a CDR3a_extended Vb Jb CDR3b CDR3b_extended",
     "0 GILGFVFTL A*02:01 TRAV27*01 TRAJ42*01 AGAGSQGNLI CAGAGSQGNLIF TRBV19*01 TRBJ2-7*01 "
     "ASSIRSSYEQY CASSIRSSYEQYF",
     "CAGAGSQGNLIF", "CASSIRSSYEQYF"},
    {"immrep22", kTab, "Label TRAV TRAJ TRA_CDR3 TRBV TRBJ TRB_CDR3 A1 A2 A3",
     "-1 TRAV27*01 TRAJ42*01 CAGAGSQGNLIF TRBV19*01 TRBJ2-7*01 CASSIRSSYEQYF SVFSS VVTGGEV "
     "AGAGSQGNLI",
     "CAGAGSQGNLIF", "CASSIRSSYEQYF"},
    {"epytope", ',', "organism VDJ_chain_type VDJ_cdr3 VDJ_v_gene VJ_chain_type VJ_cdr3 VJ_v_gene",
     "HomoSapiens TRB CASSIRSSYEQYF TRBV19*01 TRA CAGAGSQGNLIF TRAV27*01", "CAGAGSQGNLIF",
     "CASSIRSSYEQYF"},
    {"scirpy", ',', "IR_VJ_1_junction_aa IR_VDJ_1_junction_aa IR_VJ_1_v_call epitope clone_id",
     "CAGAGSQGNLIF CASSIRSSYEQYF TRAV27 GILGFVFTL 1.0", "CAGAGSQGNLIF", "CASSIRSSYEQYF"},
    {"ergo2", ',', "TRA TRB TRAV TRAJ TRBV TRBJ T-Cell-Type Peptide MHC",
     "_ CASSIRSSYEQYF _ _ TRBV19 TRBJ2-7 CD8 GILGFVFTL HLA-A*02", "", "CASSIRSSYEQYF"},
    {"tcrdist3", ',', "subject epitope v_a_gene j_a_gene cdr3_a_aa v_b_gene j_b_gene cdr3_b_aa",
     "s M1 TRAV27*01 TRAJ42*01 CAGAGSQGNLIF TRBV19*01 TRBJ2-7*01 CASSIRSSYEQYF", "CAGAGSQGNLIF",
     "CASSIRSSYEQYF"},
    {"mixtcrpred", ',', "cdr3_TRA cdr3_TRB TRAV TRAJ TRBV TRBJ",
     "CAGAGSQGNLIF CASSIRSSYEQYF TRAV27 TRAJ42 TRBV19 TRBJ2-7", "CAGAGSQGNLIF", "CASSIRSSYEQYF"},
    {"nettcr", ',', "A1 A2 A3 B1 B2 B3 peptide binder",
     "SVFSS VVTGGEV AGAGSQGNLI LNHDA SQIVND ASSIRSSYEQY GILGFVFTL 1", "CAGAGSQGNLIF",
     "CASSIRSSYEQYF"},
    {"tulip", ',', "CDR3b CDR3a peptide MHC binder", "CASSIRSSYEQYF <MIS> GILGFVFTL HLA-A*02:01 1",
     "", "CASSIRSSYEQYF"},
    {"nettcr20", ',', "CDR3a CDR3b peptide binder", "AGAGSQGNLI ASSIRSSYEQY GILGFVFTL 1",
     "CAGAGSQGNLIF", "CASSIRSSYEQYF"},
    {"tcrepitopebenchmark", ',', "CDR3A CDR3B Epitope Affinity TRAJ",
     "CAGAGSQGNLIF CASSIRSSYEQYF GILGFVFTL 1 TRAJ42*01", "CAGAGSQGNLIF", "CASSIRSSYEQYF"},
    {"imrex", ';', "cdr3 antigen.epitope", "CASSIRSSYEQYF GILGFVFTL", "", "CASSIRSSYEQYF"},
    {"benchmark", ',', "CDR3_alpha CDR3_beta V_alpha Epitope Label",
     "CAGAGSQGNLIF CASSIRSSYEQYF TRAV27*01 GILGFVFTL 0", "CAGAGSQGNLIF", "CASSIRSSYEQYF"},
    {"plain", kTab, "junction_aa_beta v_call_beta peptide", "ASSIRSSYEQY TRBV19 GILGFVFTL", "",
     "CASSIRSSYEQYF"},
};

using Fields = std::vector<std::string>;

Fields fields_of(const std::string& text) {
  Fields fields = split(text, ' ');
  for (std::string& field : fields) {
    if (field == "_") field.clear();
  }
  return fields;
}

// The table with the columns in an order of the seed (0: as they are).
std::string table_of(const Example& example, std::uint64_t seed) {
  const Fields names = fields_of(example.header);
  const Fields values = fields_of(example.row);
  REQUIRE(names.size() == values.size());
  std::vector<std::size_t> order(names.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  if (seed != 0) Rng(seed, "columns").shuffle(order);
  Fields header;
  Fields row;
  for (const std::size_t i : order) {
    header.push_back(names[i]);
    row.push_back(values[i]);
  }
  const std::string by(1, example.separator);
  return fmt::format("{}\n{}\n", fmt::join(header, by), fmt::join(row, by));
}

Record pair(const std::string& columns, const std::string& row) {
  return only_record(columns + "\n" + row + "\n");
}

}  // namespace

TEST_CASE("every format is told by its columns, in whatever order") {
  for (const Example& example : kExamples) {
    std::optional<Record> first;
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      CAPTURE(example.format, seed);
      const ReadTable table = read_all(table_of(example, seed));
      CHECK(table.format == example.format);
      REQUIRE(table.records().size() == 1);
      Record record = table.records().front();
      CHECK(record[Column::kCdr3Alpha] == example.cdr3_alpha);
      CHECK(record[Column::kCdr3Beta] == example.cdr3_beta);
      record.extra.clear();  // in the order of the columns
      if (!first) first = record;
      CHECK(same_record(record, *first));
    }
  }
}

TEST_CASE("the list of examples leaves out no format") {
  for (const FormatName& format : format_names()) {
    if (format.name == "iedb" || format.name == "atm_tcr" || format.name == "nettcr_web") continue;
    CAPTURE(format.name);
    CHECK(std::any_of(kExamples.begin(), kExamples.end(),
                      [&](const Example& each) { return each.format == format.name; }));
  }
}

TEST_CASE("tables without a header are told by their values") {
  const ReadTable atm = read_all("GILGFVFTL,CASSIRSSYEQYF,1\nNLVPMVATV,CASSPVTGGIYGYTF,0\n");
  CHECK(atm.format == "atm_tcr");
  REQUIRE(atm.records().size() == 2);
  CHECK(atm.records()[0][Column::kEpitope] == "GILGFVFTL");
  CHECK(atm.records()[0].line == 1);
  CHECK(atm.records()[1].label == false);
  const std::string web = "GILGFVFTL,SVFSS,VVTGGEV,AGAGSQGNLI,LNHDA,SQIVND,ASSIRSSYEQY";
  CHECK(read_all(web + "\n").format == "nettcr_web");
  CHECK(only_record(web + "\n").label == std::nullopt);
  CHECK(only_record(web + ",0\n").label == false);
  CHECK(only_record(web + ",1\n")[Column::kCdr3Alpha] == "CAGAGSQGNLIF");
}

TEST_CASE("IEDB names its columns in two rows") {
  const std::string upper = "Epitope,Assay,Chain 1,Chain 1,Chain 1,Chain 2,Chain 2,Chain 2\n";
  const std::string lower =
      "Name,MHC Allele Names,Type,CDR3 Curated,CDR3 Calculated,Type,CDR3 Curated,CDR3 Calculated\n";
  const std::string row = "GILGFVFTL,HLA-A2,beta,CASSIRSSYEQYF,,alpha,AAAA,AGAGSQGNLI\n";
  const Record record = only_record(upper + lower + row);
  CHECK(record[Column::kCdr3Beta] == "CASSIRSSYEQYF");
  CHECK(record[Column::kCdr3Alpha] == "CAGAGSQGNLIF");  // the calculated one goes first
  CHECK(record.label == true);
  CHECK(record.line == 3);
  CHECK(reading(upper).says("second row of column names is missing"));
  CHECK(reading(upper + "Name,Type\n" + row).says("have 8 and 2 fields"));
}

TEST_CASE("a file that tells nothing ends with its name and what to do") {
  CHECK(reading("").says("t.csv: the file is empty"));
  CHECK(reading("\n\n").says("t.csv: the file is empty"));
  const auto unknown = reading("\n\na,b\n1,2\n");
  CHECK(unknown.code == ExitCode::kInputData);
  CHECK(unknown.says("t.csv:3: no column holds a CDR3 (columns: \"a\", \"b\")"));
  CHECK(reading("CDR3_bta,b\n1,2\n").says("rename \"CDR3_bta\" to \"CDR3_beta\"?"));
  CHECK(reading("CDR3_beta,V_beta,CDR3_beta\n").says("t.csv:1: column \"CDR3_beta\" stands twice"));
  ReadOptions options;
  options.format = "vdjbd";
  CHECK(reading("CDR3_beta\n", options).code == ExitCode::kUsage);
  CHECK(reading("CDR3_beta\n", options).says("\"vdjdb\""));
  CHECK(reading("CDR3_beta\nCASSIRSSYEQYF\n\"CASS\n").says("t.csv:3: "));
  options.format = "vdjdb";
  CHECK(reading("a,b\n1,2\n", options).says("t.csv:1: this is not VDJdb release table"));
  CHECK(reading("a,b\n1,2\n", options).says("there is no column complex.id, gene"));
}

TEST_CASE("a mapped column goes before what the format says") {
  ReadOptions options;
  options.map = {{"CDR3_beta", "theirs"}, {"Label", "hit"}};
  const std::string table = "CDR3_beta,theirs,hit\nCASSPVTGGIYGYTF,CASSIRSSYEQYF,no\n";
  const ReadTable read = read_all(table, options);
  REQUIRE(read.records().size() == 1);
  CHECK(read.records()[0][Column::kCdr3Beta] == "CASSIRSSYEQYF");
  CHECK(read.records()[0].label == false);
  CHECK(read.extra_names == Fields{"CDR3_beta"});
  CHECK(read.records()[0].extra == Fields{"CASSPVTGGIYGYTF"});
  options.map = {{"CDR3_beta", "their"}};
  CHECK(reading(table, options).says("\"their\""));
  CHECK(reading(table, options).says("\"theirs\""));
  CHECK(reading(table, options).code == ExitCode::kInputData);
  options.map = {{"CDR3", "theirs"}};
  CHECK(reading(table, options).code == ExitCode::kUsage);
}

TEST_CASE("comma, tab and semicolon part the columns, whichever the header has most of") {
  for (const std::string by : {",", "\t", ";"}) {
    const Record record = only_record("CDR3_beta" + by + "note\nCASSIRSSYEQYF" + by + "x\n");
    CHECK(record[Column::kCdr3Beta] == "CASSIRSSYEQYF");
    CHECK(record.extra == Fields{"x"});
  }
  CHECK(only_record("CDR3_beta\tV_beta\ta,b\nCASSIRSSYEQYF\tTRBV19*01\t1,2\n").extra ==
        Fields{"1,2"});
  CHECK(only_record("\xEF\xBB\xBF\"CDR3_beta\";b\r\nCASSIRSSYEQYF;\"x;y\"\r\n").extra ==
        Fields{"x;y"});
}

TEST_CASE("rows with too few or too many fields are refused, each with its line") {
  const ReadTable table = read_all(
      "CDR3_beta,V_beta\nCASSIRSSYEQYF\nCASSIRSSYEQYF,TRBV19*01\n\nCASSIRSSYEQYF,TRBV19*01,x\n");
  CHECK(table.records().size() == 1);
  CHECK(table.notes() == Fields{"2 refused  ragged", "5 refused  ragged"});
  CHECK(table.lines() == std::vector<std::size_t>{2, 3, 5});
}

TEST_CASE("a CDR3 gets its ends where the format leaves them out, the last by its J gene") {
  const auto alpha = [](const std::string& j) {
    return pair(
        "A1,A2,A3,B1,B2,B3,peptide,j_alpha",
        "SVFSS,VVTGGEV,AVMDSNYQLI,LNHDA,SQIVND,ASSIRSSYEQY,GILGFVFTL," + j)[Column::kCdr3Alpha];
  };
  CHECK(alpha("TRAJ33*01") == "CAVMDSNYQLIW");
  CHECK(alpha("TRAJ38*01") == "CAVMDSNYQLIW");
  CHECK(alpha("TRAJ55*01") == "CAVMDSNYQLIW");
  CHECK(alpha("TRAJ35*01") == "CAVMDSNYQLIC");
  CHECK(alpha("TRAJ42*01") == "CAVMDSNYQLIF");
  CHECK(alpha("") == "CAVMDSNYQLIF");
  // Either form: a plain table, told by both ends.
  CHECK(pair("cdr3_beta", "ASSIRSSYEQY")[Column::kCdr3Beta] == "CASSIRSSYEQYF");
  CHECK(pair("cdr3_beta", "CASSIRSSYEQYF")[Column::kCdr3Beta] == "CASSIRSSYEQYF");
  CHECK(pair("cdr3_beta", "CASSIRSSYEQY")[Column::kCdr3Beta] == "CASSIRSSYEQY");
}

TEST_CASE("labels: given, implied, unknown, and what they cost") {
  const std::string columns = "CDR3_beta,Epitope,Label";
  const auto label = [&](const std::string& text) {
    return pair(columns, "CASSIRSSYEQYF,GILGFVFTL," + text).label;
  };
  for (const std::string yes : {"1", "1.0", "true", "TRUE", "yes"}) CHECK(label(yes) == true);
  for (const std::string no : {"0", "0.0", "-1", "false", "No"}) CHECK(label(no) == false);
  for (const std::string none : {"", "NA", "nan"}) CHECK(label(none) == std::nullopt);
  CHECK(label("2") == std::nullopt);
  CHECK(read_all(columns + "\nCASSIRSSYEQYF,GILGFVFTL,2\n").notes() ==
        Fields{"2 changed Label label-unknown"});
  ReadOptions required;
  required.label_rule = LabelRule::kRequired;
  const ReadTable table = read_all(
      columns + "\nCASSIRSSYEQYF,GILGFVFTL,2\nCASSF,GILGFVFTL,\nCASSF,GILGFVFTL,1\n", required);
  CHECK(table.records().size() == 1);
  CHECK(table.notes() == Fields{"2 refused Label label-unknown", "3 refused Label missing"});
  CHECK(reading("CDR3_beta\nCASSF\n", required).says("column \"Label\" is missing"));
  // A database of binders implies the label, where there is an epitope to bind.
  const std::string mcpas = "CDR3.alpha.aa,CDR3.beta.aa,Epitope.peptide";
  CHECK(pair(mcpas, "NA,CASSIRSSYEQYF,GILGFVFTL").label == true);
  CHECK(pair(mcpas, "NA,CASSIRSSYEQYF,NA").label == std::nullopt);
}

TEST_CASE("a negative says where it comes from") {
  const auto origin = [](const std::string& text, const std::string& label) {
    return pair("CDR3_beta,Label,Origin", "CASSIRSSYEQYF," + label + "," + text).origin;
  };
  CHECK(origin("swapped", "0") == Origin::kSwapped);
  CHECK(origin("background", "0") == Origin::kBackground);
  CHECK(origin("Measured", "0") == Origin::kMeasured);
  CHECK(origin("peptide_swapped", "0") == Origin::kSwapped);
  CHECK(origin("10x negative control", "0") == Origin::kBackground);
  CHECK(origin("", "0") == Origin::kGiven);
  CHECK(origin("swapped", "1") == Origin::kNone);
  CHECK(pair("cdr3.alpha\tv.alpha\tcdr3.beta\tv.beta\tantigen.epitope\tlabel",
             "\t\tCASSIRSSYEQYF\t\tGILGFVFTL\t0")
            .origin == Origin::kMeasured);
}

TEST_CASE("what is not needed cannot cost a record, what is needed can") {
  const std::string table = "CDR3_beta,V_beta,Epitope,MHC\nCASSIRSSYEQYF,TRBV99,gilg,H2-Kb\n";
  ReadOptions options;
  options.used = {Column::kCdr3Beta};
  const ReadTable loose = read_all(table, options);
  REQUIRE(loose.records().size() == 1);
  CHECK(loose.records()[0][Column::kVBeta].empty());
  CHECK(loose.notes() == Fields{"2 changed V_beta gene-unknown", "2 changed Epitope epitope-letter",
                                "2 changed MHC mhc-not-hla"});
  options.used = {Column::kCdr3Beta, Column::kVBeta};
  CHECK(read_all(table, options).records().empty());
  options.used = {Column::kCdr3Beta};
  options.required = {Column::kCdr3Beta, Column::kEpitope};
  CHECK(read_all(table, options).records().empty());
  options.required = {Column::kCdr3Alpha};
  CHECK(reading(table, options).says("column \"CDR3_alpha\" is missing"));
}

TEST_CASE("an epitope and MHC of the options fill what the rows leave out") {
  ReadOptions options;
  options.epitope = "GILGFVFTL";
  options.mhc = "A*02:01";
  const auto records =
      read_all("CDR3_beta,Epitope\nCASSF,\nCASSF,NLVPMVATV_HLA-B*08:01\n", options).records();
  REQUIRE(records.size() == 2);
  CHECK(records[0][Column::kEpitope] == "GILGFVFTL");
  CHECK(records[0][Column::kMhc] == "HLA-A*02:01");
  CHECK(records[1][Column::kEpitope] == "NLVPMVATV");
  CHECK(records[1][Column::kMhc] == "HLA-B*08:01");
  // The file's name counts for the one format that has the epitope nowhere else.
  ReadOptions named;
  named.epitope_in_name = "GILGFVFTL";
  CHECK(only_record("TRAV,TRAJ,TRA_CDR3,TRBV,TRBJ,TRB_CDR3\n,,,,,CASSF\n",
                    named)[Column::kEpitope] == "GILGFVFTL");
  CHECK(only_record("CDR3_beta\nCASSF\n", named)[Column::kEpitope].empty());
}

TEST_CASE("texts that are not UTF-8 are taken for Windows-1252, and never reach JSON as they are") {
  const ReadTable table = read_all(
      "CDR3_beta,V_beta,na\xEFve\nCASSIRSSYEQYF,TRBV19*01,Sj\xF6gren\x92s\n"
      "CASSIRSSYEQYF,TRBV\xE9,x\n");
  CHECK(table.extra_names == Fields{"na\u00EFve"});
  REQUIRE(table.records().size() == 1);
  CHECK(table.records()[0].extra == Fields{"Sj\u00F6gren\u2019s"});
  CleaningCounts counts;
  for (const ReadResult& result : table.results) {
    for (const Note& note : result.notes) counts.add(note);
  }
  CHECK(counts.count(Action::kRefused) == 1);
  CHECK_NOTHROW(canonical_json(counts.json()));
}

TEST_CASE("a fold or clone that no table could hold is left out") {
  const ReadTable table = read_all(
      "CDR3_beta,Fold,clone_id\nCASSF,\"a\tb\",\"c\nd\"\nCASSF,\xFF,x\nCASSF, train ,7.0\n");
  REQUIRE(table.records().size() == 3);
  CHECK(table.records()[0].fold.empty());
  CHECK(table.records()[0][Column::kCloneId].empty());
  CHECK(table.records()[1].fold.empty());
  CHECK(table.records()[2].fold == "train");
  CHECK(table.notes() == Fields{"2 changed clone_id bad-text", "2 changed Fold bad-text",
                                "4 changed Fold bad-text"});
}

}  // namespace tcrops::data
