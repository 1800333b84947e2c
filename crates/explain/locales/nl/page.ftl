# De pagina's van het handboek, een voor elke code.
page-index = Codes
    .what = Wat een nummer betekent dat een mailserver gaf. Geef het aan postrider explain, of zoek het hier op. De vijftien waar het meest naar gevraagd wordt, staan vooraan.
page-index-fifteen = De vijftien
page-index-enhanced = Uitgebreide statuscodes (X is 2, 4 of 5: gelukt, nu niet, helemaal niet)
page-index-replies = Antwoorden van drie cijfers
page-sender = Wat een goede verzendende server doet
page-causes = Wat erachter kan zitten
page-no-causes = Wat erachter kan zitten
    .what = De code alleen zegt het niet; de tekst ernaast beslist.
page-spellings = Schrijfwijzen die mensen plakken
page-other = Dezelfde cijfers in een andere lijst
    .what = Oude pagina's schrijven antwoorden van drie cijfers met punten, zodat dezelfde cijfers twee dingen kunnen betekenen. De tekst ernaast beslist.
page-replies = Hoort bij de antwoorden
page-standard = Standaard
page-reads-as = Geen server stuurt deze drie cijfers
    .what = Ze staan op oude hulppagina's en in sommige mailprogramma's, en betekenen { $code }.
page-try = Vraag het zelf
