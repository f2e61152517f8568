// Runs before the page is drawn, so that large type does not appear with a jump.
if (localStorage.getItem("qingxu-elder") === "1") document.documentElement.classList.add("elder");
