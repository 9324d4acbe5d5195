#include "csctl/commands/reference.h"
#include "csctl/input/input.h"
#include "csctl/input/time.h"
#include "measure/hash.h"
#include "verifier/reference/publisher.h"
#include "verifier/reference/reference_values.h"

namespace csctl {
namespace {

using verifier::Publication;
using verifier::ReferenceValue;

std::string state_of(const ReferenceValue& image, base::WallTime now) {
  if (image.deprecated) return "deprecated";
  return image.publication && image.publication->has_expired(now) ? "expired" : "in use";
}

std::vector<std::string> fields_of(const ReferenceValue& image) {
  std::vector<std::string> fields;
  const base::Json json = image.to_json();
  for (const char* field : {"secure_boot_certificate_sha256", "kernel_command_line", "verity_root_hash",
                            "unified_kernel_image_authenticode_sha256", "packages", "events"}) {
    if (json.contains(field)) fields.emplace_back(field);
  }
  for (const auto& [bank, values] : image.pcrs) {
    std::string registers;
    for (const auto& [pcr, value] : values) registers += (registers.empty() ? "" : " ") + std::to_string(pcr);
    fields.push_back("pcrs." + std::string(measure::name_of(bank)) + " " + registers);
  }
  return fields;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

base::Json json_of(const ReferenceValue& image, base::WallTime now) {
  return {{"name", image.name},
          {"swversion", image.swversion},
          {"hardened", image.hardened},
          {"support_attributes", image.support_attributes},
          {"state", state_of(image, now)},
          {"states", fields_of(image)}};
}

base::Json json_of(const Publication& publication) {
  base::Json json = {{"publisher", publication.publisher}, {"version", publication.version}};
  if (publication.expires) json["expires"] = base::to_rfc3339(*publication.expires);
  return json;
}

}  // namespace

ExitCode list_reference(const ReferenceListOptions& options, Screen& screen) {
  const base::WallTime now = time_asked_for(options.at, "--at");
  verifier::ReferenceValues values;
  values.add_unproven(read_text_input(options.document, verifier::kMaxReferenceValuesBytes),
                      name_of_input(options.document));
  if (options.json) {
    base::Json document = {{"images", base::Json::array()}};
    for (const ReferenceValue& image : values.images()) document["images"].push_back(json_of(image, now));
    if (!values.publications().empty()) document["publication"] = json_of(*values.publications().front());
    screen.json(document);
    return ExitCode::kYes;
  }
  if (!values.publications().empty()) {
    const Publication& publication = *values.publications().front();
    screen.heading("version " + std::to_string(publication.version) + " of publisher " + publication.publisher +
                   (publication.expires ? ", good until " + base::to_rfc3339(*publication.expires) : ""));
  }
  Table table{.headings = {"NAME", "SWVERSION", "HARDENED", "SUPPORT", "STATE", "STATES"}};
  for (const ReferenceValue& image : values.images()) {
    const std::string state = state_of(image, now);
    table.rows.push_back({image.name,
                          std::to_string(image.swversion),
                          image.hardened ? "yes" : "no",
                          joined(image.support_attributes),
                          {state, state == "in use" ? Tone::kGood : Tone::kBad},
                          {joined(fields_of(image)), Tone::kFaint}});
  }
  screen.table(table);
  return ExitCode::kYes;
}

}  // namespace csctl
