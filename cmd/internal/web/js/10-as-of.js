// The control of the point in time closes as a menu does: by Escape, and by a press
// elsewhere.

const control = document.querySelector(".as-of");
document.addEventListener("pointerdown", (event) => { if (control?.open && !control.contains(event.target)) control.open = false; });
control?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !control.open) return;
  control.open = false;
  control.querySelector("summary").focus();
});
