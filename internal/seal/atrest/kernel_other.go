//go:build !linux

package atrest

import "errors"

// kernel is that of a system that encrypts no folders for us.
type kernel struct{}

var errLinux = errors.New("storage.encrypt needs Linux: put the folder on an encrypted volume instead, and leave it out")

// Add implements volume.
func (kernel) Add(string, []byte) (identity, error) { return identity{}, errLinux }

// Remove implements volume.
func (kernel) Remove(string, identity) (bool, error) { return false, errLinux }

// Encrypt implements volume.
func (kernel) Encrypt(string, identity) error { return errLinux }

// KeyOf implements volume.
func (kernel) KeyOf(string) (identity, bool, error) { return identity{}, false, errLinux }

// Free implements volume.
func (kernel) Free(string) (int64, error) { return 0, errLinux }
