#include "csctl/commands/predict.h"

#include <optional>
#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "csctl/commands/command.h"
#include "csctl/commands/launch_input.h"
#include "csctl/commands/rows.h"
#include "csctl/input/logs.h"
#include "launcher/plan/prediction.h"
#include "measure/alignment.h"
#include "measure/cel.h"
#include "verifier/appraisal/launch_state.h"
#include "verifier/tokens/claims.h"

namespace csctl {
namespace {

using base::Json;
using measure::CelRecord;
using measure::HashAlgorithm;

void add_options(CLI::App& command, PredictOptions& options) {
  command
      .add_option("--metadata", options.metadata,
                  "File with the operator's attributes, a JSON object of texts; tee-image-reference names the image")
      ->type_name("FILE")
      ->required();
  command.add_option("--hostname", options.hostname, "The machine's name, which the workload has as HOSTNAME")
      ->type_name("NAME")
      ->required();
  command.add_flag("--debug", options.is_debug, "The machine runs a debug image, not a hardened one");
  add_image_options(command, options.image);
  command.add_option("--bank", options.banks, "PCR bank; may stand several times")
      ->check(CLI::IsMember({"sha1", "sha256", "sha384", "sha512"}))
      ->capture_default_str();
  command
      .add_option("--against", options.against,
                  "Log, request or evidence of a launch: say whether it is the one predicted, and where it parts")
      ->type_name("FILE");
}

std::vector<HashAlgorithm> banks_of(const PredictOptions& options) {
  std::vector<HashAlgorithm> banks;
  for (const std::string& name : options.banks) banks.push_back(*measure::hash_algorithm_named(name));
  return banks;
}

std::vector<CelRecord> records_of(const std::vector<measure::Event>& events, const std::vector<HashAlgorithm>& banks) {
  std::vector<CelRecord> records;
  for (const measure::Event& event : events) {
    CelRecord record{.number = records.size(),
                     .register_kind = measure::RegisterKind::kPcr,
                     .register_index = measure::kLaunchPcr,
                     .digests = {},
                     .content = measure::encode_content(event)};
    for (const HashAlgorithm bank : banks) record.digests.insert(measure::Digest::of(bank, record.content));
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<CelRecord> predicted_records(const PredictOptions& options) {
  const launcher::LaunchSpec spec = launch_spec_of(read_attributes(options.metadata));
  const launcher::Image image =
      launcher::image_of(spec.image, find_image(options.image, spec.image, spec.registry_auth));
  return records_of(launcher::predict_launch(image, spec, !options.is_debug, options.hostname), banks_of(options));
}

Json document_of(const std::vector<CelRecord>& records, const PredictOptions& options) {
  Json document = {
      {"events", Json::array()},
      {"pcr13", Json::object()},
      {"claims", {{"submods", verifier::launch_claims(verifier::parse_launch_log(records), {}, nullptr)}}}};
  for (const CelRecord& record : records) {
    const LoggedEvent event = logged_event_of(record);
    document["events"].push_back({{"number", event.number}, {"type", event.type}, {"text", event.text}});
  }
  for (const HashAlgorithm bank : banks_of(options)) {
    document["pcr13"][std::string(measure::name_of(bank))] =
        base::hex_encode(measure::replay_cel(records, bank).bytes());
  }
  return document;
}

void print(const std::vector<CelRecord>& records, const PredictOptions& options, Screen& screen) {
  screen.heading("Events of PCR 13");
  Table events{.headings = {"EVENT", "TYPE", "TEXT"}};
  for (const CelRecord& record : records) {
    const LoggedEvent event = logged_event_of(record);
    events.rows.push_back({std::to_string(event.number), event.type, event.text});
  }
  screen.table(events);
  screen.heading("");
  Table values{.headings = {"WHAT", "VALUE"}};
  for (const auto& [path, value] : leaves_of(document_of(records, options)["pcr13"])) {
    values.rows.push_back({"pcr13." + path, value});
  }
  for (const auto& [path, value] : leaves_of(document_of(records, options)["claims"])) {
    values.rows.push_back({path, value});
  }
  screen.table(values);
}

/// By contents: the log may have other banks than were asked for.
std::vector<measure::Digest> contents_of(const std::vector<CelRecord>& records) {
  std::vector<measure::Digest> digests;
  digests.reserve(records.size());
  for (const CelRecord& record : records) {
    digests.push_back(measure::Digest::of(HashAlgorithm::kSha256, record.content));
  }
  return digests;
}

std::string words_for(const std::vector<CelRecord>& records, const std::optional<std::size_t>& place) {
  if (!place) return "nothing";
  const LoggedEvent event = logged_event_of(records[*place]);
  return event.text.empty() ? event.type : event.type + " " + event.text;
}

ExitCode compare(const std::vector<CelRecord>& predicted, const PredictOptions& options, Screen& screen) {
  const Logs logs = Logs::read(options.against);
  if (!logs.launch) throw base::InvalidInput(logs.material.name, "has no launch event log");
  const auto differences = measure::differences(contents_of(predicted), contents_of(*logs.launch));
  Json document = {{"differences", Json::array()}};
  Table table{.headings = {"PREDICTED", "MEASURED"}};
  for (const auto& [left, right] : differences) {
    const std::string expected = words_for(predicted, left);
    const std::string found = words_for(*logs.launch, right);
    table.rows.push_back({expected, found});
    document["differences"].push_back({{"predicted", expected}, {"measured", found}});
  }
  if (options.json) {
    screen.json(document);
  } else if (differences.empty()) {
    screen.line({"the launch is the one that is predicted", Tone::kGood});
  } else {
    screen.line(
        {"the launch parts at: predicted " + table.rows.front()[0].text + ", measured " + table.rows.front()[1].text,
         Tone::kBad});
    screen.table(table);
  }
  return differences.empty() ? ExitCode::kYes : ExitCode::kNo;
}

}  // namespace

ExitCode predict(const PredictOptions& options, Screen& screen) {
  const std::vector<CelRecord> records = predicted_records(options);
  if (!options.against.empty()) return compare(records, options, screen);
  if (options.json) {
    screen.json(document_of(records, options));
  } else {
    print(records, options, screen);
  }
  return ExitCode::kYes;
}

void add_predict(CLI::App& app, Work& work) {
  add_verb<PredictOptions>(
      app,
      {.name = "predict",
       .help = "Say what a launch will measure: its events, PCR 13 and claims, before anything boots",
       .example = "csctl predict --metadata metadata.json --hostname my-machine\n"
                  "csctl predict --metadata metadata.json --hostname my-machine --layout "
                  "image:latest --against request.json"},
      work, add_options, predict);
}

}  // namespace csctl
