package atrest

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernel is Linux' own encryption: https://docs.kernel.org/filesystems/fscrypt.html.
type kernel struct{}

// addition is struct fscrypt_add_key_arg with the key behind it.
type addition struct {
	unix.FscryptAddKeyArg
	raw [keyBytes]byte
}

// Add implements volume.
func (kernel) Add(root string, key []byte) (id identity, err error) {
	a := &addition{}
	defer clear(a.raw[:])
	a.Key_spec.Type = unix.FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER
	a.Raw_size = uint32(copy(a.raw[:], key))
	if err := ioctl(root, unix.FS_IOC_ADD_ENCRYPTION_KEY, unsafe.Pointer(a)); err != nil {
		return id, err
	}
	copy(id[:], a.Key_spec.U[:])
	return id, nil
}

// Remove implements volume.
func (kernel) Remove(root string, id identity) (busy bool, err error) {
	var r unix.FscryptRemoveKeyArg
	r.Key_spec.Type = unix.FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER
	copy(r.Key_spec.U[:], id[:])
	err = ioctl(root, unix.FS_IOC_REMOVE_ENCRYPTION_KEY, unsafe.Pointer(&r))
	return r.Removal_status_flags&unix.FSCRYPT_KEY_REMOVAL_STATUS_FLAG_FILES_BUSY != 0, err
}

// Encrypt implements volume.
func (kernel) Encrypt(dir string, id identity) error {
	p := unix.FscryptPolicyV2{
		Version: unix.FSCRYPT_POLICY_V2, Flags: unix.FSCRYPT_POLICY_FLAGS_PAD_32,
		Contents_encryption_mode: unix.FSCRYPT_MODE_AES_256_XTS, Filenames_encryption_mode: unix.FSCRYPT_MODE_AES_256_CTS,
		Master_key_identifier: id,
	}
	return ioctl(dir, unix.FS_IOC_SET_ENCRYPTION_POLICY, unsafe.Pointer(&p))
}

// policy is struct fscrypt_get_policy_ex_arg.
type policy struct {
	size   uint64
	policy unix.FscryptPolicyV2
}

// KeyOf implements volume.
func (kernel) KeyOf(dir string) (id identity, plain bool, err error) {
	p := policy{size: uint64(unsafe.Sizeof(unix.FscryptPolicyV2{}))}
	err = ioctl(dir, unix.FS_IOC_GET_ENCRYPTION_POLICY_EX, unsafe.Pointer(&p))
	switch {
	case errors.Is(err, unix.ENODATA):
		return id, true, nil
	case err != nil:
		return id, false, err
	case p.policy.Version != unix.FSCRYPT_POLICY_V2:
		return id, false, fmt.Errorf("it is encrypted by a policy of version %d, as other programs make them", p.policy.Version)
	}
	return p.policy.Master_key_identifier, false, nil
}

// Free implements volume.
func (kernel) Free(root string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(root, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:unconvert // another type on other machines
}

// ioctl asks the file system of a folder.
func ioctl(dir string, request uintptr, arg unsafe.Pointer) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), request, uintptr(arg)); errno != 0 {
		return explain(errno)
	}
	return nil
}

// explain adds the cure to what the kernel says.
func explain(errno unix.Errno) error {
	const otherwise = "or put the folder on an encrypted volume (LUKS/dm-crypt) and leave storage.encrypt out"
	switch errno {
	case unix.ENOTTY, unix.ENOSYS:
		return fmt.Errorf("this file system does not encrypt (%w): use ext4, F2FS or UBIFS, %s", errno, otherwise)
	case unix.EOPNOTSUPP:
		return fmt.Errorf("encryption is not switched on for this file system (%w): for ext4, tune2fs -O encrypt DEVICE does so, %s", errno, otherwise)
	case unix.ENOPKG:
		return fmt.Errorf("this kernel has no AES-XTS (%w): load the modules xts and cts, %s", errno, otherwise)
	case unix.EINVAL:
		return fmt.Errorf("this kernel refuses the policy (%w): Linux 5.4 or newer is needed, %s", errno, otherwise)
	case unix.EDQUOT:
		return fmt.Errorf("this user has as many keys in the kernel as it may (%w): raise kernel.keys.maxkeys", errno)
	case unix.EACCES, unix.EPERM:
		return fmt.Errorf("the kernel does not let this user do so (%w): run as the folder's owner", errno)
	case unix.ENOKEY:
		return fmt.Errorf("the kernel has not the key of this folder (%w)", errno)
	}
	return errno
}
