(function () {
  var page = document.documentElement, made = Date.parse(page.dataset.generated), most = +page.dataset.stale;
  var age = document.getElementById("age"), note = document.getElementById("stale");
  function look() {
    var s = Math.max(0, (Date.now() - made) / 1000);
    var text = s < 3600 ? Math.floor(s / 60) + " min" : s < 172800 ? Math.floor(s / 3600) + " h" : Math.floor(s / 86400) + " d";
    age.textContent = page.dataset.ago.replace("{age}", text);
    note.hidden = s < most;
  }
  look();
  setInterval(look, 30000);
})();
