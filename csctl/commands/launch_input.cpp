#include "csctl/commands/launch_input.h"

#include <optional>
#include <utility>

#include "base/file.h"
#include "csctl/input/wait.h"
#include "net/http_client.h"
#include "oci/distribution/docker_config.h"
#include "oci/distribution/layout_documents.h"
#include "oci/distribution/registry_documents.h"

namespace csctl {
namespace {

oci::DockerConfig credentials_of(const ImageSource& source, const oci::DockerConfig& otherwise) {
  if (source.registry_auth.empty()) return otherwise;
  return oci::DockerConfig::parse(base::read_text_file(source.registry_auth, oci::kMaxDockerConfigBytes),
                                  source.registry_auth);
}

/// `credentials` must outlive it.
oci::CredentialSource source_of(const oci::DockerConfig& credentials) {
  return [&credentials](std::string host) -> base::Awaitable<std::optional<oci::Credential>> {
    co_return credentials.credential_for(host);
  };
}

base::Awaitable<oci::ImageDocuments> fetch(asio::any_io_executor executor, std::optional<std::filesystem::path> ca,
                                           oci::ImageReference reference, oci::DockerConfig credentials) {
  net::HttpClient http(executor, ca);
  oci::RegistryClient registry(http, source_of(credentials));
  oci::RegistryDocuments source(registry, std::move(reference));
  co_return co_await oci::find_documents(source, oci::Platform::host());
}

base::Awaitable<std::vector<oci::ImageSignature>> fetch_signatures(asio::any_io_executor executor,
                                                                   std::optional<std::filesystem::path> ca,
                                                                   oci::ImageReference repository, oci::Digest image,
                                                                   oci::DockerConfig credentials) {
  net::HttpClient http(executor, ca);
  oci::RegistryClient registry(http, source_of(credentials));
  co_return co_await oci::find_image_signatures(registry, std::move(repository), std::move(image));
}

std::optional<std::filesystem::path> ca_of(const ImageSource& source) {
  if (source.registry_ca.empty()) return std::nullopt;
  return source.registry_ca;
}

}  // namespace

void add_image_options(CLI::App& command, ImageSource& source) {
  command
      .add_option("--layout", source.layout,
                  "Folder of an OCI image layout, with :TAG where it holds several: the image is taken from there "
                  "instead of its registry")
      ->type_name("FOLDER[:TAG]");
  command.add_option("--registry-auth", source.registry_auth, "Docker's config.json with credentials for the registry")
      ->type_name("FILE");
  command
      .add_option("--registry-ca", source.registry_ca, "Roots (PEM) trusted for the registry, instead of the system's")
      ->type_name("FILE");
}

oci::ImageDocuments find_in_layout(const std::string& layout) {
  std::string folder = layout;
  std::string tag;
  if (const std::size_t colon = layout.rfind(':');
      colon != std::string::npos && layout.find('/', colon) == std::string::npos) {
    folder = layout.substr(0, colon);
    tag = layout.substr(colon + 1);
  }
  return wait_for(folder, [&](const asio::any_io_executor&) {
    return [](std::filesystem::path path, std::string name) -> base::Awaitable<oci::ImageDocuments> {
      oci::LayoutDocuments source(std::move(path), std::move(name));
      co_return co_await oci::find_documents(source, oci::Platform::host());
    }(folder, tag);
  });
}

oci::ImageDocuments find_image(const ImageSource& source, const oci::ImageReference& reference,
                               const oci::DockerConfig& credentials) {
  if (!source.layout.empty()) return find_in_layout(source.layout);
  return wait_for("registry " + reference.registry_host(), [&](asio::any_io_executor executor) {
    return fetch(std::move(executor), ca_of(source), reference, credentials_of(source, credentials));
  });
}

std::vector<oci::ImageSignature> find_signatures(const ImageSource& source, const oci::ImageReference& repository,
                                                 const oci::Digest& image) {
  return wait_for("registry " + repository.registry_host(), [&](asio::any_io_executor executor) {
    return fetch_signatures(std::move(executor), ca_of(source), repository, image, credentials_of(source, {}));
  });
}

launcher::Attributes read_attributes(const std::filesystem::path& file) {
  return launcher::parse_attributes(base::read_text_file(file, launcher::kMaxAttributesBytes));
}

launcher::LaunchSpec launch_spec_of(const launcher::Attributes& attributes) {
  launcher::MachineOffer offer;
  // Which service is chosen is not measured.
  offer.services = {{.name = "default", .url = "https://localhost", .ca_file = {}}};
  return launcher::LaunchSpec::parse(attributes, offer);
}

}  // namespace csctl
