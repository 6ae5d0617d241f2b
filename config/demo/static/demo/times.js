// @ts-check
// Shows the server's times as the reader's clock does.

/** @param {ParentNode} part */
export function localise(part) {
  part.querySelectorAll("time").forEach((time) => {
    time.textContent = new Date(time.dateTime).toLocaleTimeString();
  });
}

localise(document);
