#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/bytes.h"
#include "base/file.h"

namespace launcher {

/// One target of a device-mapper device. The key of a crypt target is never in `params`: stars stand in its place.
struct DmTarget {
  std::uint64_t start = 0;   ///< first sector, of 512 bytes
  std::uint64_t length = 0;  ///< in sectors
  std::string type;          ///< verity, crypt, ...
  std::string params;        ///< of the table or of the status, whichever was asked for
};

/// The device mapper of the kernel, asked through its control device. Needs CAP_SYS_ADMIN and read access to the
/// device.
class DeviceMapper {
 public:
  static constexpr auto kControl = "/dev/mapper/control";
  /// Tables and status that are longer than this are refused.
  static constexpr std::size_t kMaxAnswerBytes = std::size_t{1} << 20U;

  /// Throws SystemError.
  explicit DeviceMapper(const std::filesystem::path& control = kControl);

  /// How the device was made. Nothing when `device` is none of the device mapper's; throws SystemError or InvalidInput.
  std::optional<std::vector<DmTarget>> table(dev_t device) const;
  /// How it is doing.
  std::optional<std::vector<DmTarget>> status(dev_t device) const;

 private:
  std::optional<std::vector<DmTarget>> ask(dev_t device, std::uint32_t flags) const;

  base::FileDescriptor control_;
};

/// The answer to DM_TABLE_STATUS behind its header: `count` times a dm_target_spec (linux/dm-ioctl.h) and text that NUL
/// ends. Throws InvalidInput.
std::vector<DmTarget> parse_dm_targets(base::ByteView data, std::uint32_t count);

/// A table line of a verity target (Documentation/admin-guide/device-mapper/verity.rst).
struct VerityTable {
  std::string data_device;  ///< MAJOR:MINOR
  std::string hash_device;
  std::string algorithm;
  std::string root_digest;  ///< lower-case hex
  std::vector<std::string> options;

  static VerityTable parse(std::string_view params);
};

/// Whether the status of a verity target says that nothing corrupt has been read; throws InvalidInput.
bool verity_is_intact(std::string_view status);

/// A table line of a crypt target (Documentation/admin-guide/device-mapper/dm-crypt.rst), its key left out.
struct CryptTable {
  std::string cipher;
  std::string device;  ///< MAJOR:MINOR
  std::vector<std::string> options;

  static CryptTable parse(std::string_view params);
  bool has_option(std::string_view option) const;
};

}  // namespace launcher
