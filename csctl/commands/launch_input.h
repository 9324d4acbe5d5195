#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "launcher/spec/launch_spec.h"
#include "oci/distribution/image_documents.h"
#include "oci/distribution/image_signatures.h"

namespace csctl {

/// Where the documents of an image come from.
struct ImageSource {
  std::string layout;         ///< folder of an OCI image layout, with :TAG; empty: the registry
  std::string registry_auth;  ///< a file
  std::string registry_ca;    ///< a file
};
void add_image_options(CLI::App& command, ImageSource& source);

/// Throws InvalidInput, SystemError, and what the registry's client throws. `credentials` count where the source names
/// none; `reference` is not looked at where there is a layout.
oci::ImageDocuments find_image(const ImageSource& source, const oci::ImageReference& reference,
                               const oci::DockerConfig& credentials);
oci::ImageDocuments find_in_layout(const std::string& layout);

/// What keys have signed of an image, as it lies in a repository; nobody has verified it.
std::vector<oci::ImageSignature> find_signatures(const ImageSource& source, const oci::ImageReference& repository,
                                                 const oci::Digest& image);

/// The operator's attributes in a file: a JSON object of texts.
launcher::Attributes read_attributes(const std::filesystem::path& file);
/// For a machine that has everything, and whose one verifier is the default. Throws Error with all that is wrong.
launcher::LaunchSpec launch_spec_of(const launcher::Attributes& attributes);

}  // namespace csctl
