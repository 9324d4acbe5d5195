#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "tests/unit/support/fake_registry.h"

namespace test {

struct TarEntry {
  std::string name;
  std::string content = {};
  char type = '0';  ///< '0' file, '2' symbolic link, '5' folder
  unsigned mode = 0755;
  std::string link = {};
};

/// A POSIX ustar archive.
std::string make_tar(const std::vector<TarEntry>& entries);
std::string gzip(const std::string& bytes);
/// One frame of raw blocks: valid, though no smaller.
std::string zstd(const std::string& bytes);

enum class LayerFormat { kTar, kTarGzip, kTarZstd };

/// Layers and config of an image to be put into a FakeRegistry; `change_*` may bend what is served.
struct TinyImage {
  std::vector<std::string> layer_tars;
  base::Json config = base::Json::object();  ///< the config's inner "config"
  std::string architecture = "amd64";
  LayerFormat layer_format = LayerFormat::kTarGzip;
  std::function<void(base::Json&)> change_config = {};
  std::function<void(base::Json&)> change_manifest = {};

  /// Two layers: a static busybox as /bin/busybox with /etc/passwd and /etc/group, and a marker.
  static TinyImage busybox(const std::vector<std::string>& args);
  /// Puts the image, behind an index, under `tag`; returns the index's descriptor.
  oci::Descriptor publish(FakeRegistry& registry, const std::string& tag) const;
};

}  // namespace test
