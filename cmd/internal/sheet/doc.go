// Package sheet reads and writes tables for people who work in spreadsheets:
// milestone plans come in, and lists go out, as CSV or XLSX.
//
// What a reader of a sheet may rely on:
//
//   - Every error names the cell to put right, "Sheet1!C7", and all errors of a
//     sheet are found at once, not only the first. See [CellError].
//   - What a cell shows is what is read: a date is a date cell or text as
//     YYYY-MM-DD; a formula is refused, since what it comes to depends on the
//     program that last opened the file.
//   - A file costs memory in proportion to [MaxFile] and [MaxUnzipped], whatever
//     it claims to hold: a zip bomb is refused, and so is a sheet that reaches
//     to a cell far away from what it says.
//
// What a reader of a list may rely on:
//
//   - Columns are the members of the JSON answer in their order; those of an
//     object within have its name before theirs, title.en and title.zh; a list
//     is one cell with semicolons. See [FromJSON].
//   - In CSV, a text that begins with =, +, -, @, a tab or a line break has an
//     apostrophe before it, because a spreadsheet would take it for a formula
//     and it may come from anybody's keyboard; numbers have none. In XLSX no
//     text is a formula, so all are as they are. See [Defuse].
package sheet
