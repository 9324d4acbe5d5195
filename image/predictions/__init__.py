"""What a machine measures that boots a signed unified kernel image.

Nothing is booted: the values follow from what the image build has made. The machine is one whose firmware (EDK2, as in
OVMF) starts the image itself as its first boot option, with Secure Boot on and a TPM, and whose system partition holds
neither credentials nor extensions nor addons for the stub. No device has a driver that the firmware starts (an option
ROM), and no Driver#### is set. In each bank it fills

* PCR 2 with a separator alone: a driver would stand there, and it could do anything to what is started after it;
* PCR 4 with the boot manager's call, a separator and the Authenticode digest of the image. The kernel inside is not
  there: with Secure Boot on, systemd's stub stands in for the firmware's check of it, which is what would measure it;
* PCR 7 with the variables SecureBoot, PK, KEK, db and dbx, a separator, and the entry of db that the image's signature
  leads to. A dbx that does not exist is measured with no data;
* PCR 9 with the command line as the kernel's EFI stub gets it, in UTF-16 with its NUL, and the initial RAM disk that it
  loads: the image's microcode and initrd, and an archive for each section that systemd's stub passes on as a file in
  /.extra. Inodes, modes and times in these are constants of the stub;
* PCR 11 with name and contents of each section that systemd's stub knows, in the stub's order. Nothing follows if the
  units systemd-pcrphase*.service are masked;
* PCR 12 with nothing: it stays zero.

PCR 0 holds the firmware, PCR 1, 3, 5 and 6 the machine's configuration: no image determines them.

A file imports only from those before it: error, pe_image, unified_kernel_image, secure_boot, registers, entry.
"""
