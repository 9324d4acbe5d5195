#include "tests/unit/launcher/support/tiny_image.h"

#include <cstdio>
#include <cstring>
#include <stdexcept>

#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/crc.hpp>

#include "base/file.h"

namespace test {
namespace {

constexpr std::size_t kTarBlock = 512;
constexpr std::size_t kMaxBusybox = std::size_t{16} << 20U;

void put_octal(char* field, std::size_t width, std::size_t value) {
  field[width - 1] = '\0';
  for (std::size_t i = width - 1; i > 0; --i, value /= 8) field[i - 1] = static_cast<char>('0' + value % 8);
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

oci::Descriptor add_layer(FakeRegistry& registry, const std::string& tar, LayerFormat format) {
  const std::string type = "application/vnd.oci.image.layer.v1.tar";
  switch (format) {
    case LayerFormat::kTar: return registry.add_blob(type, tar);
    case LayerFormat::kTarGzip: return registry.add_blob(type + "+gzip", gzip(tar));
    case LayerFormat::kTarZstd: return registry.add_blob(type + "+zstd", zstd(tar));
  }
  throw std::logic_error("unknown layer format");
}

void put_little_endian(std::string& to, std::uint64_t value, unsigned bytes) {
  for (unsigned shift = 0; shift < 8 * bytes; shift += 8) to.push_back(static_cast<char>((value >> shift) & 0xffU));
}

base::Json to_json(const oci::Descriptor& descriptor) {
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
  put_little_endian(trailer, crc.checksum(), 4);
  put_little_endian(trailer, bytes.size(), 4);
  const char header[] = {'\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 0, '\xff'};
  return std::string(header, sizeof header) + body + trailer;
}

/// RFC 8878.
std::string zstd(const std::string& bytes) {
  constexpr std::size_t kMaxBlock = std::size_t{128} << 10U;
  constexpr char kEightByteSizeNoWindow = '\xe0';
  std::string frame = "\x28\xb5\x2f\xfd";
  frame.push_back(kEightByteSizeNoWindow);
  put_little_endian(frame, bytes.size(), 8);
  std::size_t begin = 0;
  do {
    const std::string block = bytes.substr(begin, kMaxBlock);
    begin += block.size();
    const std::uint64_t is_last = begin == bytes.size() ? 1 : 0;
    put_little_endian(frame, (std::uint64_t{block.size()} << 3U) | is_last, 3);
    frame += block;
  } while (begin < bytes.size());
  return frame;
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

oci::Descriptor TinyImage::publish(FakeRegistry& registry, const std::string& tag) const {
  base::Json layers = base::Json::array();
  base::Json diff_ids = base::Json::array();
  for (const std::string& tar : layer_tars) {
    layers.push_back(to_json(add_layer(registry, tar, layer_format)));
    diff_ids.push_back(oci::Digest::of(base::view_of(tar)).string());
  }
  base::Json document = {{"architecture", architecture}, {"os", "linux"}, {"config", config}};
  document["rootfs"] = {{"type", "layers"}, {"diff_ids", diff_ids}};
  if (change_config) change_config(document);
  base::Json manifest = {{"schemaVersion", 2}, {"mediaType", oci::kOciManifest}};
  manifest["config"] = to_json(registry.add_blob(std::string(oci::kOciConfig), document.dump()));
  manifest["layers"] = layers;
  if (change_manifest) change_manifest(manifest);
  const auto manifest_descriptor =
      registry.add_manifest(tag + "-manifest", std::string(oci::kOciManifest), manifest.dump());
  base::Json entry = to_json(manifest_descriptor);
  entry["platform"] = {{"os", "linux"}, {"architecture", "amd64"}};
  base::Json index = {{"schemaVersion", 2}, {"mediaType", oci::kOciIndex}};
  index["manifests"] = base::Json::array();
  index["manifests"].push_back(entry);
  return registry.add_manifest(tag, std::string(oci::kOciIndex), index.dump());
}

}  // namespace test
