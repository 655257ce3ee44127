// Package atrest has the file system encrypt the storage folder, with a key that opens by the keys of seal alone.
//
// Linux' own encryption of folders (fscrypt, policy v2) does the work: ext4, F2FS and UBIFS encrypt contents and names of what lies below a
// folder, so that every store reads, writes and maps its files as before. Here is what is left: the key, which is random, sealed, and
// kept beside the encrypted folder; giving it to the kernel at a start and taking it away at a stop; and moving plain data into an
// encrypted folder and back.
//
// In: the storage folder and a Sealer. Out: the folder in which the data are. Invariants: nothing plain is written once the setting is
// on: a folder that holds plain data, or data of another key, refuses the start; a key is never made where there are encrypted data; a move that was
// interrupted goes on where it was, and removes nothing before what it was copied to has been read again. Start reading at Open.
package atrest
