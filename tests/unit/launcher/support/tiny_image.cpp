#include "tests/unit/launcher/support/tiny_image.h"

#include <cstdio>
#include <cstring>

#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/crc.hpp>

#include "base/file.h"

namespace test {
namespace {

constexpr std::size_t kTarBlock = 512;
constexpr std::size_t kMaxBusybox = std::size_t{16} << 20U;
constexpr auto kGzipLayer = "application/vnd.oci.image.layer.v1.tar+gzip";

void put_octal(char* field, std::size_t width, std::size_t value) {
  std::snprintf(field, width, "%0*zo", static_cast<int>(width) - 1, value);
}

std::string tar_header(const TarEntry& entry) {
  std::string block(kTarBlock, '\0');
  char* header = block.data();
  std::memcpy(header, entry.name.data(), entry.name.size());
  put_octal(header + 100, 8, entry.mode);
  put_octal(header + 108, 8, 0);
  put_octal(header + 116, 8, 0);
  put_octal(header + 124, 12, entry.content.size());
  put_octal(header + 136, 12, 0);
  std::memset(header + 148, ' ', 8);
  header[156] = entry.type;
  std::memcpy(header + 157, entry.link.data(), entry.link.size());
  std::memcpy(header + 257, "ustar\00000", 8);
  std::size_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put_octal(header + 148, 7, sum);
  return block;
}

base::Json to_json(const launcher::Descriptor& descriptor) {
  return {{"mediaType", descriptor.media_type}, {"digest", descriptor.digest.string()}, {"size", descriptor.size}};
}

}  // namespace

std::string make_tar(const std::vector<TarEntry>& entries) {
  std::string tar;
  for (const TarEntry& entry : entries) {
    tar += tar_header(entry) + entry.content;
    tar.resize((tar.size() + kTarBlock - 1) / kTarBlock * kTarBlock, '\0');
  }
  return tar + std::string(2 * kTarBlock, '\0');
}

/// RFC 1952.
std::string gzip(const std::string& bytes) {
  namespace zlib = boost::beast::zlib;
  zlib::deflate_stream deflater;
  std::string body(deflater.upper_bound(bytes.size()), '\0');
  zlib::z_params parameters;
  parameters.next_in = bytes.data();
  parameters.avail_in = bytes.size();
  parameters.next_out = body.data();
  parameters.avail_out = body.size();
  boost::system::error_code code;
  deflater.write(parameters, zlib::Flush::finish, code);
  body.resize(parameters.total_out);
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  std::string trailer;
  for (const std::uint64_t value : {std::uint64_t{crc.checksum()}, std::uint64_t{bytes.size()}}) {
    for (unsigned shift = 0; shift < 32; shift += 8) trailer.push_back(static_cast<char>((value >> shift) & 0xffU));
  }
  const char header[] = {'\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 0, '\xff'};
  return std::string(header, sizeof header) + body + trailer;
}

TinyImage TinyImage::busybox(const std::vector<std::string>& args) {
  TinyImage image;
  const std::string program = base::read_text_file("/bin/busybox", kMaxBusybox);
  image.layer_tars.push_back(
      make_tar({{"bin/", "", '5'},
                {"bin/busybox", program},
                {"etc/", "", '5'},
                {"etc/passwd", "root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n", '0', 0644},
                {"etc/group", "root:x:0:\nuser:x:1000:\nextra:x:2000:user\n", '0', 0644}}));
  image.layer_tars.push_back(make_tar({{"marker", "second layer\n", '0', 0644}}));
  image.config["Entrypoint"] = args;
  return image;
}

launcher::Descriptor TinyImage::publish(FakeRegistry& registry, const std::string& tag) const {
  base::Json layers = base::Json::array();
  base::Json diff_ids = base::Json::array();
  for (const std::string& tar : layer_tars) {
    layers.push_back(to_json(registry.add_blob(kGzipLayer, gzip(tar))));
    diff_ids.push_back(launcher::Digest::of(base::view_of(tar)).string());
  }
  base::Json document = {{"architecture", architecture}, {"os", "linux"}, {"config", config}};
  document["rootfs"] = {{"type", "layers"}, {"diff_ids", diff_ids}};
  if (change_config) change_config(document);
  base::Json manifest = {{"schemaVersion", 2}, {"mediaType", launcher::kOciManifest}};
  manifest["config"] = to_json(registry.add_blob(std::string(launcher::kOciConfig), document.dump()));
  manifest["layers"] = layers;
  if (change_manifest) change_manifest(manifest);
  const auto manifest_descriptor =
      registry.add_manifest(tag + "-manifest", std::string(launcher::kOciManifest), manifest.dump());
  base::Json entry = to_json(manifest_descriptor);
  entry["platform"] = {{"os", "linux"}, {"architecture", "amd64"}};
  base::Json index = {{"schemaVersion", 2}, {"mediaType", launcher::kOciIndex}};
  index["manifests"] = base::Json::array();
  index["manifests"].push_back(entry);
  return registry.add_manifest(tag, std::string(launcher::kOciIndex), index.dump());
}

}  // namespace test
