#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "csctl/commands/command.h"
#include "csctl/commands/findings.h"
#include "csctl/commands/launch_input.h"
#include "csctl/commands/rows.h"
#include "evidence/image_signature.h"
#include "launcher/plan/process.h"
#include "launcher/policy/launch_policy.h"

namespace csctl {
namespace {

using base::Json;
using launcher::LaunchPolicy;
using oci::ImageConfig;

constexpr const char* kSomeHostname = "machine";
/// In names, in lower case, of variables whose values are not for everybody.
constexpr std::array<std::string_view, 5> kSecretWords = {"secret", "password", "passwd", "private_key", "token"};
/// By which an operator chooses what is run.
constexpr std::array<std::string_view, 4> kChoosingVariables = {"LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH"};

struct ImageCheckOptions {
  std::string reference;
  std::string signed_in;  ///< a repository; empty: the image's own
  ImageSource source;
  bool json = false;
};

void add_options(CLI::App& command, ImageCheckOptions& options) {
  command.add_option("REFERENCE", options.reference, "Image in a registry, as in tee-image-reference; or say --layout");
  add_image_options(command, options.source);
  command
      .add_option("--signed-in", options.signed_in,
                  "Repository in which its signatures are looked for, as in tee-signed-image-repos; without it the "
                  "image's own")
      ->type_name("REPOSITORY");
}

oci::ImageDocuments documents_of(const ImageCheckOptions& options) {
  if (options.reference.empty() == options.source.layout.empty()) {
    throw base::InvalidInput("REFERENCE", "is given, or --layout, and not both");
  }
  if (!options.source.layout.empty()) return find_in_layout(options.source.layout);
  return find_image(options.source, oci::ImageReference::parse(options.reference, "REFERENCE"), {});
}

void warn_of_secrets(const ImageConfig& config, Findings& findings) {
  for (const std::string& variable : config.env) {
    const std::string name = variable.substr(0, variable.find('='));
    const std::string lower = base::lower_case(name);
    const auto is_in_name = [&](std::string_view word) { return lower.find(word) != std::string::npos; };
    if (std::ranges::any_of(kSecretWords, is_in_name)) {
      findings.warnings.push_back("ENV " + name +
                                  ": its value stands in every token and in the image, for all to read");
    }
  }
}

void warn_of_policy(const LaunchPolicy& policy, const ImageConfig& config, Findings& findings) {
  auto& warnings = findings.warnings;
  if (policy.overrides.allow_cmd) {
    try {
      launcher::final_args(config, std::vector<std::string>{"argument"});
    } catch (const base::Error& error) {
      warnings.push_back(std::string("the operator may set tee-cmd, but no launch goes with it: ") + error.what());
    }
  }
  for (const std::string& name : policy.overrides.allowed_env) {
    if (std::ranges::find(kChoosingVariables, name) == kChoosingVariables.end()) continue;
    warnings.push_back("the operator may set " + name + ", and so choose what is run");
  }
  if (policy.output.log_redirect == launcher::Gate::kAlways) {
    warnings.emplace_back("whoever runs the machine may read the output, on hardened images, too");
  }
  if (policy.privileges.allow_capabilities) warnings.emplace_back("the operator may add capabilities");
}

void warn_of_user(const ImageConfig& config, Findings& findings) {
  const std::string user = config.user.substr(0, config.user.find(':'));
  if (user.empty() || user == "0" || user == "root") findings.warnings.emplace_back("USER: it runs as root");
}

Findings findings_of(const ImageConfig& config) {
  Findings findings;
  std::optional<LaunchPolicy> policy;
  findings.collect([&] { policy = LaunchPolicy::parse(config.labels, config.exposed_ports); });
  findings.collect([&] { launcher::final_args(config, std::nullopt); });
  findings.collect([&] { launcher::final_env(config, {}, kSomeHostname); });
  findings.collect([&] { launcher::final_working_dir(config); });
  for (const std::string& label : LaunchPolicy::unknown_labels(config.labels)) {
    findings.warnings.push_back("label " + label + ": there is no such label, it means nothing");
  }
  if (policy) warn_of_policy(*policy, config, findings);
  warn_of_user(config, findings);
  warn_of_secrets(config, findings);
  return findings;
}

/// Of a key that has signed the image, or why a signature is none.
Json json_of(const oci::ImageSignature& signature, const std::string& digest) {
  try {
    const auto verified = evidence::verify_image_signature({signature.payload, signature.signature}, digest);
    return {{"key_id", verified.key_id}, {"algorithm", verified.algorithm}};
  } catch (const base::InvalidInput& error) {
    return {{"error", error.what()}};
  }
}

/// Nothing of an image that lies in a folder, unless a repository is named, and of a repository that can't be searched.
Json signatures_of(const ImageCheckOptions& options, const oci::Digest& digest, Findings& findings) {
  const std::string& repository = options.signed_in.empty() ? options.reference : options.signed_in;
  if (repository.empty()) return nullptr;
  const auto reference =
      oci::ImageReference::parse(repository, options.signed_in.empty() ? "REFERENCE" : "--signed-in");
  try {
    Json list = Json::array();
    for (const oci::ImageSignature& signature : find_signatures(options.source, reference, digest)) {
      list.push_back(json_of(signature, digest.string()));
    }
    return list;
  } catch (const base::Error& error) {
    findings.warnings.push_back(std::string("its signatures can't be looked for: ") + error.what());
    return nullptr;
  }
}

/// All for which the reference has an image.
Json platforms_of(const oci::ImageDocuments& documents) {
  Json platforms = Json::array();
  for (const oci::ManifestBytes& document : documents.path) {
    if (!oci::is_index(document.media_type)) continue;
    for (const oci::IndexEntry& entry : oci::parse_index(document.bytes, document.media_type).manifests) {
      // What builders attest of an image stands beside it as one for no machine.
      const bool is_for_a_machine = entry.platform && entry.platform->architecture != "unknown";
      if (is_for_a_machine) platforms.push_back(entry.platform->name());
    }
  }
  if (platforms.empty()) platforms.push_back(documents.config.platform.name());
  return platforms;
}

void warn_of_signatures(const Json& signatures, Findings& findings) {
  for (const Json& signature : signatures) {
    if (signature.contains("error")) {
      findings.warnings.push_back("a signature is none that a token would name: " +
                                  signature["error"].get<std::string>());
    }
  }
}

Json described(const oci::ImageDocuments& documents) {
  const ImageConfig& config = documents.config;
  std::uint64_t bytes = 0;
  for (const oci::Descriptor& layer : documents.manifest.layers) bytes += layer.size;
  Json image = {{"digest", documents.path.front().digest.string()},
                {"manifest_digest", documents.path.back().digest.string()},
                {"platform", config.platform.name()},
                {"platforms", platforms_of(documents)},
                {"layers", documents.manifest.layers.size()},
                {"compressed_bytes", bytes},
                {"entrypoint", config.entrypoint},
                {"cmd", config.cmd},
                {"user", config.user},
                {"working_dir", config.working_dir},
                {"exposed_ports", config.exposed_ports},
                {"env", Json::array()}};
  for (const std::string& variable : config.env) image["env"].push_back(variable.substr(0, variable.find('=')));
  try {
    image["operator_may"] = LaunchPolicy::parse(config.labels, config.exposed_ports).loggable();
  } catch (const base::Error&) {
    image["operator_may"] = nullptr;  // the findings tell why
  }
  return image;
}

ExitCode check_image(const ImageCheckOptions& options, Screen& screen) {
  const oci::ImageDocuments documents = documents_of(options);
  Json image = described(documents);
  Findings findings = findings_of(documents.config);
  image["signatures"] = signatures_of(options, documents.path.front().digest, findings);
  warn_of_signatures(image["signatures"], findings);
  const bool launches = findings.errors.empty();
  if (options.json) {
    screen.json(findings.added_to({{"launches", launches}, {"image", image}}));
  } else {
    Table table{.headings = {"THE IMAGE", ""}};
    for (const auto& [path, value] : leaves_of(image)) table.rows.push_back({path, value});
    screen.table(table);
    screen.heading("");
    findings.print(launches ? "it can be launched" : "it can't be launched", screen);
  }
  return findings.exit_code();
}

}  // namespace

void add_image(CLI::App& app, Work& work) {
  CLI::App& noun = add_noun(app, "image", "A container image that is to run in a Confidential Space");
  add_verb<ImageCheckOptions>(noun,
                              {.name = "check",
                               .help = "Tell what an image's author should know before it is shipped",
                               .example = "csctl image check registry.example/meal-planner:1.0\n"
                                          "csctl image check --layout image:latest"},
                              work, add_options, check_image);
}

}  // namespace csctl
