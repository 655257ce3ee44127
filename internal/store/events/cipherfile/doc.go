// Package cipherfile keeps the event store's files so that they open with a key alone that lies elsewhere.
//
// It knows no key of the configuration (that is a seal.Sealer) and not what is in a file. In: the content of a file, or
// records one after the other. Out: what stands on the disk, and the content again, by the range.
//
// The envelope: each file has a random key of its own, which the Sealer seals under the file's name, and which stands
// in the file's header. So a file opens by itself, in a backup too; a header that is damaged costs its file and no other; and
// one file's content does not pass for another's.
//
//	magic "SBENC\x00\x01\n" · length u32 and CRC-32C u32 (little-endian) of the sealed key · sealed key · body
//
// The body of a file that is written at once is DARE 2.0 (github.com/minio/sio): packages of 64 KiB, AES-256-GCM each, numbered,
// the last one marked. Records are sealed one by one by AES-256-GCM with random nonces, by their Key.
//
// Files without the magic are plain, and are read as they are, whatever is configured.
//
// Invariants: where Encrypts, nothing is made plain; a damaged file is ErrDamaged, and one whose key is not there is
// seal.Locked, never the one for the other: the CRC tells them apart. Safe for concurrent use, without locks but the cache's own.
//
// Start reading at Keys.
package cipherfile
