#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "base/act_as_owner.h"
#include "base/clock.h"
#include "base/file.h"
#include "verifier/commands/commands.h"
#include "verifier/service/config.h"
#include "verifier/service/publication.h"
#include "verifier/tokens/key_store.h"

namespace verifier {
namespace {

constexpr mode_t kPublicFolder = 0755;
constexpr mode_t kPublicFile = 0644;

struct ExportOptions {
  std::string config = kConfigFile;
  std::string directory;
};

std::vector<PublishedDocument> read_documents(const Config& config) {
  const base::WallTime now = base::Clock::system().wall();
  const base::ActAsOwner as_the_service(config.state_directory);
  const std::filesystem::path pki = config.state_directory / kPkiFolder;
  const base::X509Ptr root = std::filesystem::exists(pki) ? PkiAuthority::load(pki, now).root : nullptr;
  return published_documents(config, key_store_of(config).read(now), root.get());
}

void export_documents(const ExportOptions& options) {
  const Config config = Config::load(options.config);
  for (const PublishedDocument& document : read_documents(config)) {
    const std::filesystem::path file = std::filesystem::path(options.directory) / document.path.substr(1);
    std::filesystem::create_directories(file.parent_path());
    const base::FileDescriptor folder = base::open_private_directory(file.parent_path(), kPublicFolder);
    base::replace_file(folder, file.filename(), base::view_of(document.body), kPublicFile);
    std::cout << config.issuer << document.path << ' ' << file.string() << '\n';
  }
}

}  // namespace

void add_export_command(CLI::App& app) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand(
      "export", "Write what relying parties fetch as files, for a web server or bucket at the issuer's URL");
  command->add_option("--config", options->config, "The service's configuration")->capture_default_str();
  command->add_option("DIR", options->directory, "Folder for .well-known")->required();
  command->callback([options] { export_documents(*options); });
}

}  // namespace verifier
