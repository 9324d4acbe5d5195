#include "csctl/reference/image_facts.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "csctl/input/input.h"
#include "csctl/input/kernel_image.h"
#include "measure/hash.h"
#include "verifier/reference/reference_values.h"

namespace csctl {
namespace {

using base::InvalidInput;
using base::Json;
using base::JsonObject;
using verifier::ReferenceValue;
using verifier::ReferenceValues;

/// Of a list of files or packages.
constexpr base::JsonLimits kListLimits{.max_bytes = std::size_t{64} << 20U, .max_values = std::size_t{1} << 20U};
constexpr const char* kCommandLineSection = ".cmdline";

Json read_list(const std::filesystem::path& file) {
  return base::parse_json(read_text_input(file, kListLimits.max_bytes), file.string(), kListLimits);
}

ReferenceValues parse_values(std::string_view json, const std::string& subject) {
  ReferenceValues values;
  values.add_unproven(json, subject);
  return values;
}

const ReferenceValue& entry_named(const ReferenceValues& values, const std::string& name, const std::string& subject) {
  const auto& images = values.images();
  if (name.empty() && images.size() != 1) {
    throw InvalidInput(subject, "has " + std::to_string(images.size()) + " images: --before and --after say which one");
  }
  const auto found =
      std::ranges::find_if(images, [&](const ReferenceValue& image) { return name.empty() || image.name == name; });
  if (found == images.end()) throw InvalidInput(subject, "has no image \"" + name + "\"");
  return *found;
}

/// Something, as nothing stands for what is not there.
std::string shown(std::string version) { return version.empty() ? "(without a version)" : version; }

std::map<std::string, std::string> packages_of_entry(const ReferenceValue& entry) {
  std::map<std::string, std::string> packages;
  if (!entry.packages || !entry.packages->is_object()) return packages;
  for (const auto& [name, version] : entry.packages->items()) packages.emplace(name, shown(version.get<std::string>()));
  return packages;
}

std::map<std::string, std::string> read_manifest(const std::filesystem::path& file) {
  const Json manifest = read_list(file);
  std::map<std::string, std::string> packages;
  for (const JsonObject& package : JsonObject(manifest, file.string()).objects_or_empty("packages")) {
    const auto [other, is_new] = packages.try_emplace(package.string("name"), shown(package.string("version")));
    if (!is_new) other->second += ", " + shown(package.string("version"));
  }
  return packages;
}

/// {"root": {PATH: WORDS}, "initrd": {PATH: WORDS}}
std::map<std::string, std::string> read_files(const std::filesystem::path& file) {
  const Json list = read_list(file);
  const JsonObject trees(list, file.string());
  trees.expect_only({"root", "initrd"});
  std::map<std::string, std::string> files;
  for (const char* tree : {"root", "initrd"}) {
    const auto paths = trees.optional_object(tree);
    if (!paths) continue;
    const std::string prefix = std::string_view(tree) == "initrd" ? "initrd:" : "";
    for (const auto& [path, words] : paths->raw().items()) {
      if (!words.is_string())
        throw InvalidInput(paths->path() + "." + std::string(base::shown_key(path)), "is no text");
      files.emplace(prefix + path, words.get<std::string>());
    }
  }
  return files;
}

/// As the kernel gets it: without what stands around it.
std::string command_line_of(base::ByteView section) {
  std::string_view text = base::text_of(section);
  text = text.substr(0, text.find('\0'));
  const std::size_t begin = text.find_first_not_of(" \t\n");
  return begin == std::string_view::npos ? ""
                                         : std::string(text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1));
}

ImageFacts facts_of_kernel_image(base::ByteView bytes, const std::filesystem::path& path) {
  const KernelImage image = KernelImage::parse(bytes, path.string());
  ImageFacts facts{.name = path.string(), .authenticode_sha256 = image.authenticode_sha256};
  for (const auto& [name, content] : image.sections) {
    facts.sections_sha256.emplace(name, measure::hash(measure::HashAlgorithm::kSha256, content));
  }
  if (const auto section = image.sections.find(kCommandLineSection); section != image.sections.end()) {
    facts.command_line = command_line_of(section->second);
  }
  const auto beside = [&](const char* extension) { return std::filesystem::path(path).replace_extension(extension); };
  if (const auto file = beside(".manifest"); is_there(file.string())) facts.packages = read_manifest(file);
  if (const auto file = beside(".files.json"); is_there(file.string())) facts.files = read_files(file);
  const std::filesystem::path document = path.parent_path() / "reference-values.json";
  if (!is_there(document.string())) return facts;
  const auto values = parse_values(read_text_input(document, verifier::kMaxReferenceValuesBytes), document.string());
  const auto entry = std::ranges::find_if(values.images(), [&](const ReferenceValue& value) {
    return value.unified_kernel_image_authenticode_sha256 == image.authenticode_sha256;
  });
  if (entry != values.images().end()) facts.entry = *entry;
  return facts;
}

}  // namespace

ImageFacts ImageFacts::read(const std::string& path, const std::string& entry_name) {
  const base::Bytes bytes = read_input(path, kMaxKernelImageBytes);
  if (may_be_kernel_image(bytes)) return facts_of_kernel_image(bytes, path);
  const std::string subject = name_of_input(path);
  const ReferenceValues values = parse_values(base::text_of(bytes), subject);
  return of_entry(entry_named(values, entry_name, subject));
}

ImageFacts ImageFacts::of_entry(const ReferenceValue& entry) {
  return {.name = entry.name,
          .entry = entry,
          .packages = packages_of_entry(entry),
          .files = {},
          .sections_sha256 = {},
          .command_line = entry.kernel_command_line,
          .authenticode_sha256 = entry.unified_kernel_image_authenticode_sha256};
}

}  // namespace csctl
