#include <memory>
#include <optional>
#include <string>

#include "csctl/commands/command.h"
#include "csctl/commands/findings.h"
#include "csctl/commands/launch_input.h"
#include "csctl/commands/rows.h"
#include "launcher/plan/prediction.h"
#include "launcher/spec/unknown_attributes.h"

namespace csctl {
namespace {

/// Only its length may matter.
constexpr const char* kSomeHostname = "machine";

struct SpecCheckOptions {
  std::string metadata;
  bool with_image = false;
  ImageSource image;
  bool is_debug = false;
  bool json = false;
};

void add_options(CLI::App& command, SpecCheckOptions& options) {
  command.add_option("FILE", options.metadata, "The operator's attributes, a JSON object of texts")->required();
  command.add_flag("--image", options.with_image,
                   "Fetch what is said of the image that tee-image-reference names, and tell what it forbids");
  add_image_options(command, options.image);
  command.add_flag("--debug", options.is_debug, "The machine runs a debug image, not a hardened one");
}

std::string sentence_of(const launcher::UnknownAttribute& unknown) {
  return unknown.key + ": there is no such attribute" +
         (unknown.nearest.empty() ? "" : "; is " + unknown.nearest + " meant?");
}

ExitCode check_spec(const SpecCheckOptions& options, Screen& screen) {
  const launcher::Attributes attributes = read_attributes(options.metadata);
  Findings findings;
  for (const auto& unknown : launcher::unknown_attributes(attributes)) {
    findings.warnings.push_back(sentence_of(unknown));
  }
  std::optional<launcher::LaunchSpec> spec;
  findings.collect([&] { spec = launch_spec_of(attributes); });
  const bool looks_at_image = options.with_image || !options.image.layout.empty();
  if (spec && looks_at_image) {
    const launcher::Image image =
        launcher::image_of(spec->image, find_image(options.image, spec->image, spec->registry_auth));
    findings.collect([&] { launcher::predict_launch(image, *spec, !options.is_debug, kSomeHostname); });
  }
  const base::Json asked_for = spec ? spec->loggable() : base::Json(nullptr);
  if (options.json) {
    screen.json(findings.added_to({{"launches", findings.errors.empty()}, {"asks_for", asked_for}}));
    return findings.exit_code();
  }
  if (spec) {
    Table table{.headings = {"ASKS FOR", ""}};
    for (const auto& [path, value] : leaves_of(asked_for)) table.rows.push_back({path, value});
    screen.table(table);
    screen.heading("");
  }
  const char* launches = looks_at_image ? "the image can be launched with it" : "it asks for what there is";
  findings.print(findings.errors.empty() ? launches : "nothing can be launched with it", screen);
  return findings.exit_code();
}

}  // namespace

void add_spec(CLI::App& app, Work& work) {
  CLI::App& noun = add_noun(app, "spec", "What an operator asks a machine for: its attributes, by which it launches");
  add_verb<SpecCheckOptions>(noun,
                             {.name = "check",
                              .help = "Tell all that is wrong with an operator's attributes, before a machine is made",
                              .example = "csctl spec check metadata.json\n"
                                         "csctl spec check metadata.json --image"},
                             work, add_options, check_spec);
}

}  // namespace csctl
